/**
 * What an engine is opened with, and the settings that follow from it.
 * @module
 */
import { availableParallelism } from 'node:os';

/** What an engine may touch, and with how much of the machine. */
export interface EngineOptions {
  /** Folder in which the engine makes a folder of its own for spilled data and links; it must exist. */
  readonly tempDirectory: string;
  /** Files that are read. Those that exist when the engine is opened cost nothing; see `Engine.fileSql`. */
  readonly readPaths?: readonly string[] | undefined;
  /** Folders under which everything may be read. */
  readonly readDirectories?: readonly string[] | undefined;
  /** Folders under which `COPY … TO` may write, and everything may be read. */
  readonly writeDirectories?: readonly string[] | undefined;
  /** Threads; by default as many as the machine has. No result depends on it. */
  readonly threads?: number | undefined;
  /** Memory for the engine's buffers; the process needs some hundred MB beside it. */
  readonly memoryLimitBytes?: number | undefined;
  /** Stops the statement that runs when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** Memory for buffers when nothing else is asked for. */
const memoryLimitBytesDefault = 700_000_000;

/**
 * Settings that must stand when the instance is made.
 * @throws RangeError when a number makes no sense.
 */
export function creationSettings(options: EngineOptions): Record<string, string> {
  const threads = options.threads ?? availableParallelism();
  const memory = options.memoryLimitBytes ?? memoryLimitBytesDefault;
  if (!Number.isSafeInteger(threads) || threads < 1 || threads > 256) {
    throw new RangeError(`"threads" expected integer 1 … 256, got ${threads}`);
  }
  if (!Number.isSafeInteger(memory) || memory < 50_000_000) {
    throw new RangeError(`"memoryLimitBytes" expected integer >= 50000000, got ${memory}`);
  }
  return {
    threads: String(threads),
    memory_limit: `${memory}B`,
    preserve_insertion_order: 'true',
    // A Parquet file rewritten within a second would be read from this cache as it was before.
    enable_external_file_cache: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
  };
}
