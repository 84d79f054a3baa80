/**
 * Files that nothing needs any more are moved to `quarantine/<time>/`, and deleted after a grace time and a second look.
 * Whoever needs one meanwhile takes it back: quarantine is the second place where a stored file is looked for.
 * @module
 */
import { existsSync } from 'node:fs';
import { rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Sha256Id } from '../../schemas/ids.ts';
import { makeFolder } from './durable-files.ts';
import { errnoOf, ioError } from './io-error.ts';
import { listStored, namesIn } from './list-stored.ts';
import { filePath, quarantineRoot } from './store-paths.ts';
import type { StoredKind } from './store-paths.ts';

/**
 * Kinds that are moved. Records stay: they are small, and what comes back from quarantine is read by them.
 */
const sweptKinds = ['part', 'digests', 'layout', 'origins', 'pack'] as const satisfies readonly StoredKind[];

/** A file that may go. */
export interface UnneededFile {
  readonly kind: StoredKind;
  readonly id: Sha256Id;
  readonly bytes: number;
}

/** What a sweep would do, or did. */
export interface SweepPlan {
  /** To quarantine. */
  readonly move: readonly UnneededFile[];
  /** Out of quarantine for good: their grace time is over. */
  readonly remove: readonly UnneededFile[];
  /** In quarantine, their grace time not over. */
  readonly waiting: readonly UnneededFile[];
  /** Back from quarantine: something needs them after all. */
  readonly back: readonly UnneededFile[];
}

/** A file in quarantine. */
export interface QuarantinedFile extends UnneededFile {
  /** When it was moved, in milliseconds since 1970. */
  readonly since: number;
}

/** Pure: what is to be done with files, by whether something needs them and how long they have waited. */
export function planSweep(
  {
    stored,
    quarantined,
  }: { readonly stored: readonly UnneededFile[]; readonly quarantined: readonly QuarantinedFile[] },
  isNeeded: (file: UnneededFile) => boolean,
  { now, graceMs }: { readonly now: number; readonly graceMs: number },
): SweepPlan {
  const there = new Set(stored.map(keyOf));
  const idle = quarantined.filter((file) => !isNeeded(file) || there.has(keyOf(file)));
  return {
    move: stored.filter((file) => !isNeeded(file)),
    remove: idle.filter(({ since }) => now - since >= graceMs),
    waiting: idle.filter(({ since }) => now - since < graceMs),
    back: quarantined.filter((file) => isNeeded(file) && !there.has(keyOf(file))),
  };
}

/** Files of the kinds that are swept. @throws HoldoutError `IO` */
export async function storedFiles(root: string): Promise<readonly UnneededFile[]> {
  const files: UnneededFile[] = [];
  for (const kind of sweptKinds) {
    for (const { id, path } of await listStored(root, kind)) {
      if (id !== null) files.push({ kind, id, bytes: await sizeOf(path) });
    }
  }
  return files;
}

/** Files in quarantine. @throws HoldoutError `IO` */
export async function quarantinedFiles(root: string): Promise<readonly QuarantinedFile[]> {
  const files: QuarantinedFile[] = [];
  for (const batch of await batchesIn(root)) {
    const since = Number(batch);
    files.push(...(await storedFiles(join(quarantineRoot(root), batch))).map((file) => ({ ...file, since })));
  }
  return files;
}

/**
 * Carries a plan out. Each file is moved or removed by one call of the system, so that an interruption leaves a plan
 * that is done in part, and nothing else.
 * @throws HoldoutError `IO`
 */
export async function executeSweep(root: string, plan: SweepPlan, now: number): Promise<void> {
  for (const { kind, id } of plan.back) await takeBack(root, kind, id);
  const batch = join(quarantineRoot(root), String(Math.trunc(now)));
  for (const { kind, id } of plan.move) await moveFile(filePath(root, kind, id), filePath(batch, kind, id));
  for (const { kind, id } of plan.remove) {
    for (const path of await placesOf(root, kind, id)) {
      await unlink(path).catch((error: unknown) => {
        if (errnoOf(error) !== 'ENOENT') throw ioError('remove', path, error);
      });
    }
  }
  for (const name of await batchesIn(root)) {
    const folder = join(quarantineRoot(root), name);
    if ((await storedFiles(folder)).length === 0) await rm(folder, { recursive: true, force: true });
  }
}

/** Takes a file back that is missing from its place. @returns whether it is there now @throws HoldoutError `IO` */
export async function takeBack(root: string, kind: StoredKind, id: Sha256Id): Promise<boolean> {
  const target = filePath(root, kind, id);
  if (existsSync(target)) return true;
  for (const path of await placesOf(root, kind, id)) if (await moveFile(path, target)) return true;
  return existsSync(target);
}

/** Where in quarantine a file lies. */
export async function placesOf(root: string, kind: StoredKind, id: Sha256Id): Promise<readonly string[]> {
  const batches = await batchesIn(root);
  return batches
    .map((batch) => filePath(join(quarantineRoot(root), batch), kind, id))
    .filter((path) => existsSync(path));
}

async function batchesIn(root: string): Promise<readonly string[]> {
  return (await namesIn(quarantineRoot(root))).filter((name) => /^[0-9]{1,15}$/.test(name));
}

/** @returns false when another process was quicker */
async function moveFile(from: string, to: string): Promise<boolean> {
  await makeFolder(dirname(to));
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw ioError('move', from, error);
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0;
    throw ioError('read', path, error);
  }
}

function keyOf({ kind, id }: UnneededFile): string {
  return `${kind} ${id}`;
}
