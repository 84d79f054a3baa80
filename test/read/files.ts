import { tableToIPC } from 'apache-arrow';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { ColumnType, TableSchema } from '../../dist/schemas/table-schema.js';
import { Engine } from '../../dist/src/engine/engine.js';
import { readTable } from '../../dist/src/tables/read/read-table.js';
import type { ReadOptions, ReadTable } from '../../dist/src/tables/read/read-table-types.js';

export { tableToIPC };

/** A folder for one test, with the helpers that work in it. */
export interface Workplace {
  readonly folder: string;
  path(name: string): string;
  write(name: string, content: string | Uint8Array): Promise<string>;
  read(args: string | readonly string[], options?: Partial<ReadOptions>): Promise<ReadTable>;
  /** Reads what must be refused with an error like this one, and leaves nothing half-read. */
  refuses(path: string, expected: Record<string, unknown>, options?: Partial<ReadOptions>): Promise<void>;
  /** Writes a query's rows as Parquet. */
  parquet(name: string, query: string, options?: string): Promise<string>;
}

/** A fresh folder before each test, removed after it. */
export function useWorkplace(): Workplace {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdout-read-'));
    await mkdir(join(folder, 'work'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const path = (name: string): string => join(folder, name);
  const read: Workplace['read'] = (args, options = {}) =>
    readTable(typeof args === 'string' ? [args] : args, { workDirectory: path('work'), threads: 2, ...options });
  return {
    get folder() {
      return folder;
    },
    path,
    async write(name, content) {
      await mkdir(dirname(path(name)), { recursive: true });
      await writeFile(path(name), content);
      return path(name);
    },
    read,
    async refuses(file, expected, options = {}) {
      const before = await readdir(path('work'));
      const error = await read(file, options).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error, file).toMatchObject({ name: 'HoldoutError', ...expected });
      expect(await readdir(path('work'))).toEqual(before);
    },
    async parquet(name, query, options = '') {
      await mkdir(dirname(path(name)), { recursive: true });
      const engine = await Engine.open({ tempDirectory: path('work'), writeDirectories: [dirname(path(name))] });
      try {
        await engine.run(`COPY (${query}) TO ${engine.outputSql(path(name))} (FORMAT parquet${options})`);
      } finally {
        await engine.close();
      }
      return path(name);
    },
  };
}

/** A schema of these columns. */
export function schema(columns: Record<string, ColumnType>): TableSchema {
  return { type: 'holdout/schema@1', columns: Object.entries(columns).map(([name, type]) => ({ name, type })) };
}
