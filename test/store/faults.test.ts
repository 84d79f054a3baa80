import fs from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { relative } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Store } from '../../dist/src/store/store.js';
import { noon, partsOf, putVersion, scratchStore } from './scratch.ts';

/** Something that the store did to the file system: `sync parts/3f`, `link journal/000000000002.jsonl`. */
type Call = string;
type Verb = 'write' | 'sync' | 'chmod';

/**
 * Lets the real file system work, and tells of each call that changes it before it happens; an error thrown by
 * `before` is what the store gets instead.
 */
async function watch(root: string, before: (call: Call) => void): Promise<void> {
  const handle = await fs.open(root, 'r');
  const prototype = Object.getPrototypeOf(handle) as Record<Verb, (this: FileHandle, ...args: unknown[]) => unknown>;
  await handle.close();
  const paths = new WeakMap<FileHandle, string>();
  const real = { open: fs.open, link: fs.link, unlink: fs.unlink, mkdir: fs.mkdir, rename: fs.rename };
  const name = (path: unknown): string => relative(root, String(path)).replaceAll('\\', '/');
  const restore: (() => void)[] = [];
  fs.open = async (path, flags, mode) => {
    if (String(flags).startsWith('w')) before(`create ${name(path)}`);
    const opened = await real.open(path, flags, mode);
    paths.set(opened, name(path));
    return opened;
  };
  fs.link = async (from, to) => (before(`link ${name(to)}`), real.link(from, to));
  fs.unlink = async (path) => (before(`unlink ${name(path)}`), real.unlink(path));
  fs.rename = async (from, to) => (before(`rename ${name(to)}`), real.rename(from, to));
  for (const verb of ['write', 'sync', 'chmod'] as const) {
    const original = prototype[verb];
    prototype[verb] = async function watched(...args) {
      before(`${verb} ${paths.get(this) ?? '?'}`);
      return original.apply(this, args);
    };
    restore.push(() => void (prototype[verb] = original));
  }
  syncBuiltinESMExports();
  onTestFinished(() => unwatch());
  unwatch = () => {
    Object.assign(fs, real);
    for (const undo of restore) undo();
    syncBuiltinESMExports();
  };
}

let unwatch = (): void => undefined;

describe('a durable write', () => {
  it('syncs each file before its name appears, each folder after, and links the journal entry last', async () => {
    const store = await scratchStore();
    const calls: Call[] = [];
    await watch(store.root, (call) => calls.push(call));
    await store.commit(await putVersion(store, 'a'), noon);
    unwatch();

    const links = calls.flatMap((call, at) => (call.startsWith('link ') ? [{ at, target: call.slice(5) }] : []));
    expect(links).toHaveLength(11);
    for (const { at, target } of links) {
      const folder = target.slice(0, target.lastIndexOf('/'));
      const temporary = calls
        .slice(0, at)
        .findLast((call) => call.startsWith('sync tmp/'))
        ?.slice(5);
      const about = calls.slice(0, at).filter((call) => call.endsWith(` ${temporary}`));
      // Read-only and synced after the last byte was written.
      expect(about.at(-1)).toBe(`sync ${temporary}`);
      expect(about.at(-2)).toBe(`chmod ${temporary}`);
      // The next link waits for the folder of this one.
      const next = links.find((link) => link.at > at)?.at ?? calls.length;
      expect(calls.slice(at, next)).toContain(`sync ${folder}`);
    }
    expect(links.at(-1)?.target).toBe('journal/000000000002.jsonl');
    expect(calls.at(-1)).toBe('sync journal');
  });
});

describe('a failure of the system at any point of an add', () => {
  it('is told with its path, leaves a whole store, and the next add succeeds', async () => {
    const store = await scratchStore();
    const codes = ['ENOSPC', 'EIO'];
    let left = 0;
    let failed = '';
    let code = '';
    await watch(store.root, (call) => {
      left -= 1;
      if (left !== 0) return;
      failed = call;
      throw Object.assign(new Error(`${code}: injected`), { code });
    });
    let failures = 0;
    for (let n = 1; ; n += 1) {
      left = n;
      failed = '';
      code = codes[n % 2] ?? '';
      const add = putVersion(store, `content ${n}`).then((draft) => store.commit(draft, noon));
      const error: unknown = await add.then(
        () => null,
        (caught: unknown) => caught,
      );
      left = 0;
      if (failed === '') {
        expect(error).toBeNull();
        break;
      }
      failures += 1;
      expect(error, failed).toMatchObject({ code: 'IO', message: expect.stringContaining(code) });
      expect(error, failed).toMatchObject({ message: expect.stringContaining(store.root) });
      await store.close();

      const again = await Store.open(store.root);
      const versions = (await again.journal()).names.get('rows')?.length ?? 0;
      // Each add syncs some twenty times: one retry in eight keeps this quick.
      if (n % 8 > 0) continue;
      await again.commit(await putVersion(again, `content ${n}`), noon);
      expect((await again.journal()).names.get('rows')).toHaveLength(versions + 1);
      await again.close();
    }
    expect(failures).toBeGreaterThan(60);
    expect(await store.verifyStructure(partsOf)).toEqual([]);
    expect(await store.verifyFiles()).toEqual([]);
  });
});

describe('a file system without hard links', () => {
  it('holds a store all the same, and no file is ever replaced', async () => {
    const store = await scratchStore();
    await watch(store.root, (call) => {
      if (call.startsWith('link ')) throw Object.assign(new Error('EPERM: injected'), { code: 'EPERM' });
    });
    await store.commit(await putVersion(store, 'a'), noon);
    const again = await Store.open(store.root);
    await again.commit(await putVersion(again, 'a'), noon);
    await store.commit(await putVersion(store, 'b'), noon);
    expect((await store.journal()).names.get('rows')?.map(({ version }) => version)).toEqual([1, 2, 3]);
    expect(await store.verifyStructure(partsOf)).toEqual([]);
    expect(await store.verifyFiles()).toEqual([]);
  });
});
