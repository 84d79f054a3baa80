import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TableSchema } from '../../dist/schemas/table-schema.js';
import { snapshotRecord } from '../../dist/schemas/records.js';
import type { FieldRoles, SnapshotRecord } from '../../dist/schemas/records.js';
import { addDataset } from '../../dist/src/snapshots/add.js';
import type { AddOptions, AddResult } from '../../dist/src/snapshots/add.js';
import { exportRaw } from '../../dist/src/snapshots/raw-files.js';
import { openStoreEngine } from '../../dist/src/snapshots/store-engine.js';
import { resolveVersion } from '../../dist/src/snapshots/versions.js';
import type { Engine } from '../../dist/src/engine/engine.js';
import type { VersionEntry } from '../../dist/src/store/journal-state.js';
import { Store } from '../../dist/src/store/store.js';
import { openTable } from '../../dist/src/tables/table-reader.js';
import type { TableReader } from '../../dist/src/tables/table-reader.js';

const now = new Date('2026-01-02T03:04:05Z');

/** A project folder with a store, on a real disk, removed at the end. */
export class Workspace {
  readonly folder: string;
  readonly store: Store;
  /** Engines that nobody uses now, by their threads. */
  private readonly idle = new Map<number, Engine[]>();

  private constructor(folder: string, store: Store) {
    this.folder = folder;
    this.store = store;
  }

  static async make(): Promise<Workspace> {
    const folder = await mkdtemp(join(tmpdir(), 'holdout-test-'));
    const store = await Store.init(join(folder, '.holdout'), { holdoutVersion: '0.0.0', now });
    return new Workspace(folder, store);
  }

  /** The store in the folder `.holdout` of a folder, which goes when the workspace does. */
  static async open(folder: string): Promise<Workspace> {
    return new Workspace(folder, await Store.open(join(folder, '.holdout')));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async write(name: string, content: string | Uint8Array): Promise<string> {
    await writeFile(this.path(name), content);
    return this.path(name);
  }

  async add(name: string, files: string | readonly string[], options: AddOptions = {}): Promise<AddResult> {
    const context = {
      now,
      holdoutVersion: '0.0.0',
      threads: 2,
      recogniseFields: (schema: TableSchema): FieldRoles =>
        schema.columns.some((column) => column.name === 'question') ? { question: ['question'] } : {},
    };
    return addDataset(this.store, name, typeof files === 'string' ? [files] : files, options, context);
  }

  /** Lends an engine, and keeps it for who asks next: to open one is more work than most of what a test does with it. */
  async engine<T>(use: (engine: Engine) => Promise<T>, threads = 2): Promise<T> {
    const idle = this.idle.get(threads) ?? [];
    this.idle.set(threads, idle);
    const engine = idle.pop() ?? (await openStoreEngine(this.store, { threads }));
    let kept = false;
    try {
      const result = await use(engine);
      kept = idle.push(engine) > 0;
      return result;
    } finally {
      // What failed may have left it in the middle of something.
      if (!kept) await engine.close();
    }
  }

  async read<T>(version: string, use: (reader: TableReader, engine: Engine) => Promise<T>): Promise<T> {
    const { record } = await this.version(version);
    return this.engine(async (engine) => {
      const reader = await openTable(this.store, engine, record);
      try {
        return await use(reader, engine);
      } finally {
        await reader.close();
      }
    });
  }

  async version(text: string): Promise<{ entry: VersionEntry; record: SnapshotRecord }> {
    const entry = resolveVersion(await this.store.journal(), text);
    return { entry, record: await this.store.getRecord(entry.snapshot, snapshotRecord) };
  }

  /** The lines of a version, parsed by nobody. */
  async lines(version: string, canonical = false): Promise<string[]> {
    return this.read(version, async (reader) => {
      let text = '';
      for await (const { bytes } of reader.jsonLines({ canonical })) text += Buffer.from(bytes).toString();
      return text.split('\n').slice(0, -1);
    });
  }

  async rawFiles(version: string, folder: string): Promise<Buffer[]> {
    const entry = resolveVersion(await this.store.journal(), version);
    return this.engine(async (engine) => {
      const paths = await exportRaw(this.store, engine, entry, this.path(folder));
      return Promise.all(paths.map((path) => readFile(path)));
    });
  }

  /** Closes what is open; whatever is used again is opened again. */
  async close(): Promise<void> {
    for (const engine of [...this.idle.values()].flatMap((engines) => engines.splice(0))) await engine.close();
    await this.store.close();
  }

  async remove(): Promise<void> {
    await this.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** `count` rows that look like chat training data, the same for the same seed. */
export function chatRows(count: number, seed = 1): string[] {
  const words = 'alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november'.split(' ');
  let x = seed * 2654435761;
  const next = (): number => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
  return Array.from({ length: count }, (_, id) => {
    const prompt = Array.from({ length: 12 }, () => words[next() % words.length]).join(' ');
    return JSON.stringify({ id: `${seed}-${id}`, prompt, score: (next() % 1000) / 8, tags: [words[next() % 14]] });
  });
}
