/**
 * An engine for the store's own work: it reads the store and some files, and writes into the store's temporary folder.
 * @module
 */
import { dirname } from 'node:path';
import { Engine } from '../engine/engine.ts';
import type { Store } from '../store/store.ts';

/** What the engine may use. */
export interface StoreEngineOptions {
  readonly threads?: number | undefined;
  readonly memoryLimitBytes?: number | undefined;
  readonly readPaths?: readonly string[] | undefined;
  /** Stops what runs when aborted. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens it; the caller closes it.
 * @throws HoldoutError `IO`
 */
export async function openStoreEngine(store: Store, options: StoreEngineOptions = {}): Promise<Engine> {
  return Engine.open({
    ...options,
    tempDirectory: await store.tempDirectory(),
    readDirectories: store.roots,
    // Where `tempPath` puts its files.
    writeDirectories: [dirname(await store.tempPath())],
  });
}
