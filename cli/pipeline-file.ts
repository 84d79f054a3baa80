/**
 * Finds `holdout.yaml` as Git finds its folder, reads it with its lock, and writes the lock.
 * @module
 */
import { readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { PipelineLock } from '../schemas/pipeline-lock.ts';
import { HoldoutError } from '../src/errors.ts';
import { emptyLock, lockText, lockedVersion, readLock } from '../src/pipeline/lock.ts';
import type { Pipeline } from '../src/pipeline/pipeline.ts';
import { readPipeline } from '../src/pipeline/read-pipeline.ts';
import { resolveVersion } from '../src/snapshots/versions.ts';
import { replaceFile, writeNewFile } from '../src/store/durable-files.ts';
import { errnoOf } from '../src/store/io-error.ts';
import type { Store } from '../src/store/store.ts';
import { builtInTransforms } from '../transforms/index.ts';
import { pathExists } from './context.ts';
import { readSchemaOption } from './schema-text.ts';
import { formatBytes } from '../src/size-text.ts';

const pipelineName = 'holdout.yaml';
const lockEnding = '.lock';
/** No pipeline that a person wrote is larger; what is read is checked again. */
const fileBytesMax = 16 << 20;

/** How a first pipeline file is written, for whoever has none. */
const firstFile = `write one, for example:
  version: 1
  datasets:
    raw: {files: [data/train.jsonl]}
    train:
      from: raw
      steps:
        - filter: {where: "length(output) > 20"}
        - shuffle`;

/**
 * The pipeline file: the one named, else the nearest `holdout.yaml` here or in a folder above.
 * @throws HoldoutError NOT_FOUND, saying how to write one
 */
export async function findPipelineFile(named: string | undefined): Promise<string> {
  if (named !== undefined) {
    if (await pathExists(named)) return resolve(named);
    throw new HoldoutError('NOT_FOUND', 'no such file', { file: named });
  }
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const path = join(folder, pipelineName);
    if (await pathExists(path)) return path;
    if (dirname(folder) === folder) break;
  }
  throw new HoldoutError('NOT_FOUND', `no ${pipelineName} here, nor in any folder above`, { hint: firstFile });
}

/** A pipeline and its lock, read; the working folder is that of the file. */
export interface OpenPipeline {
  readonly pipeline: Pipeline;
  readonly lockFile: string;
  /** Null where there is no lock yet. */
  readonly lock: PipelineLock | null;
  /** What the lock file holds. */
  readonly lockText: string | null;
}

/**
 * Reads the file and its lock, `holdout.lock` beside `holdout.yaml`. Paths are shown from where the person stands.
 * @throws HoldoutError INPUT_INVALID for what is wrong with either
 */
export async function openPipeline(path: string, store: Store, startedIn: string): Promise<OpenPipeline> {
  const lockPath = join(dirname(path), `${basename(path).replace(/\.ya?ml$/, '')}${lockEnding}`);
  const shown = (file: string): string => relative(startedIn, file) || file;
  const text = await readText(path, shown(path));
  if (text === null) throw new HoldoutError('NOT_FOUND', 'no such file', { file: shown(path) });
  const locked = await readText(lockPath, shown(lockPath));
  const lock = locked === null ? null : readLock(locked, shown(lockPath));
  const state = await store.journal();
  const pipeline = await readPipeline({
    file: shown(path),
    text,
    transforms: builtInTransforms,
    storeNames: [...state.names.keys()],
    inStore: (name) => {
      try {
        return resolveVersion(state, name) !== null;
      } catch (error) {
        if (error instanceof HoldoutError) return false;
        throw error;
      }
    },
    readSchema: (types) => readSchemaOption(types, 'schema'),
    lockedVersion: (dataset, step) => lockedVersion(lock ?? emptyLock, dataset, step),
  });
  return { pipeline, lockFile: lockPath, lock, lockText: locked };
}

async function readText(path: string, shown: string): Promise<string | null> {
  try {
    const { size } = await stat(path);
    if (size > fileBytesMax)
      throw new HoldoutError('LIMIT', `${formatBytes(size)}; a file has at most ${formatBytes(fileBytesMax)}`, {
        file: shown,
      });
    const bytes = await readFile(path);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    if (error instanceof TypeError) throw new HoldoutError('INPUT_INVALID', 'not UTF-8', { file: shown, cause: error });
    throw error;
  }
}

/** Writes the lock as a whole, where it says something new. @returns whether it was written */
export async function writeLock(path: string, before: string | null, lock: PipelineLock): Promise<boolean> {
  const text = lockText(lock);
  if (text === before) return false;
  const beside = `${path}.${process.pid}.tmp`;
  try {
    await writeNewFile(beside, Buffer.from(text));
    await replaceFile(beside, path);
  } finally {
    await rm(beside, { force: true });
  }
  return true;
}
