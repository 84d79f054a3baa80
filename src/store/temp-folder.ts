/**
 * Temporary files and who owns them. Each open store has a folder `tmp/<machine>-<pid>-<random>`; `machine` is a
 * digest of host name, boot and process namespace, so that a process id means something. A folder is swept only when
 * its owner is provably gone (same machine, no such process), or nothing in it changed for 24 hours.
 *
 * Files are moved to quarantine only by a process that is alone. It says so first and looks for others then; whoever
 * comes makes its folder first and looks for such a mark then, and waits. So one of the two always sees the other.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldoutError } from '../errors.ts';
import { makeFolder } from './durable-files.ts';
import { errnoOf, ioError } from './io-error.ts';
import { namesIn } from './list-stored.ts';
import { temporaryRoot } from './store-paths.ts';

const abandonedAfterMs = 24 * 60 * 60 * 1000;
/** A file in the folder of a process that moves files to quarantine. */
const sweepingName = 'sweeping';
const sweepLookMs = 10;
const sweepWaitMsMax = 120_000;
const ownerPattern = /^([0-9a-f]{16})-([1-9][0-9]{0,9})-[0-9a-f]{16}$/;

/** A folder for this process's temporary files; made when first asked for. */
export class TempFolder {
  private made: Promise<string> | null = null;
  private name: string | null = null;
  private readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** A name that nobody else uses; the file is not created. */
  async path(suffix: string): Promise<string> {
    return join(await this.folder(), randomBytes(8).toString('hex') + suffix);
  }

  /** A new empty folder. */
  async directory(): Promise<string> {
    const path = await this.path('.d');
    await mkdir(path).catch((error: unknown) => Promise.reject(ioError('make folder', path, error)));
    return path;
  }

  /**
   * Keeps others from beginning until the work is done, which is told who had begun before.
   * @throws HoldoutError `IO`
   */
  async whileSweeping<T>(work: (others: readonly string[]) => Promise<T>): Promise<T> {
    const mark = join(await this.folder(), sweepingName);
    await writeFile(mark, '').catch((error: unknown) => Promise.reject(ioError('write', mark, error)));
    try {
      return await work(await otherOwners(this.root, Date.now()));
    } finally {
      await this.discard(mark);
    }
  }

  /** Removes one temporary file. */
  async discard(path: string): Promise<void> {
    await rm(path, { force: true }).catch((error: unknown) => Promise.reject(ioError('remove', path, error)));
  }

  /** Removes a temporary folder and what is in it. */
  async discardFolder(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true }).catch((error: unknown) =>
      Promise.reject(ioError('remove', path, error)),
    );
  }

  /** Removes this process's temporary files. */
  async remove(): Promise<void> {
    if (this.made === null) return;
    const folder = await this.made;
    this.made = null;
    await rm(folder, { recursive: true, force: true });
  }

  /**
   * Removes them without waiting, when the process is about to end. A thread that still writes may put a file into the
   * folder meanwhile; what cannot be removed is left to the next sweep.
   */
  removeNow(): void {
    if (this.name === null) return;
    try {
      rmSync(this.name, { recursive: true, force: true, maxRetries: 3, retryDelay: 10 });
    } catch {
      // The owner is gone in a moment, so that whoever opens the store next removes it.
    }
  }

  private folder(): Promise<string> {
    this.made ??= this.make();
    return this.made;
  }

  private async make(): Promise<string> {
    const folder = join(temporaryRoot(this.root), ownerName());
    this.name = folder;
    await makeFolder(folder);
    await waitForSweeps(this.root);
    return folder;
  }
}

/** Removes what dead processes left in the store's temporary folder. */
export async function sweepTemporary(root: string, nowMs: number): Promise<void> {
  const tmp = temporaryRoot(root);
  for (const name of await namesIn(tmp)) {
    const path = join(tmp, name);
    if (!(await isAbandoned(path, name, nowMs))) continue;
    try {
      await rm(path, { recursive: true, force: true });
    } catch (error) {
      // Leftovers are waste, not damage: who may not delete them can still read the store.
      if (!['EACCES', 'EPERM', 'EROFS', 'EBUSY', 'ENOTEMPTY'].includes(errnoOf(error) ?? '')) {
        throw ioError('remove', path, error);
      }
    }
  }
}

/** Processes other than this one that have the store open, by their folders. @throws HoldoutError `IO` */
export async function otherOwners(root: string, nowMs: number): Promise<readonly string[]> {
  const others: string[] = [];
  for (const name of await namesIn(temporaryRoot(root))) {
    const own = name.startsWith(`${machine()}-${process.pid}-`);
    if (!own && !(await isAbandoned(join(temporaryRoot(root), name), name, nowMs))) others.push(name);
  }
  return others;
}

/** Waits until nobody moves files to quarantine. @throws HoldoutError `IO` when that takes too long */
async function waitForSweeps(root: string): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += sweepLookMs) {
    const marks = await namesIn(temporaryRoot(root));
    if (!marks.some((name) => existsSync(join(temporaryRoot(root), name, sweepingName)))) return;
    const others = await otherOwners(root, Date.now());
    if (!others.some((name) => existsSync(join(temporaryRoot(root), name, sweepingName)))) return;
    if (waitedMs >= sweepWaitMsMax) {
      throw new HoldoutError('IO', 'another command has been moving files of the store for too long', {
        hint: 'Wait until it ends, or end it; `holdout compact` goes on where it stopped.',
      });
    }
    await sleep(sweepLookMs);
  }
}

async function isAbandoned(path: string, name: string, nowMs: number): Promise<boolean> {
  const owner = ownerPattern.exec(name);
  if (owner?.[1] === machine()) return !isAlive(Number(owner[2]));
  return nowMs - (await lastChangeMs(path)) > abandonedAfterMs;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'ESRCH';
  }
}

/** Latest change of a file, or of a folder and all that is in it. A name that goes away meanwhile counts as new. */
async function lastChangeMs(path: string): Promise<number> {
  try {
    const facts = await lstat(path);
    let latest = facts.mtimeMs;
    if (facts.isDirectory()) {
      for (const name of await readdir(path)) latest = Math.max(latest, await lastChangeMs(join(path, name)));
    }
    return latest;
  } catch {
    return Infinity;
  }
}

function ownerName(): string {
  return `${machine()}-${process.pid}-${randomBytes(8).toString('hex')}`;
}

let machineDigest: string | undefined;

function machine(): string {
  machineDigest ??= createHash('sha256')
    .update(JSON.stringify([hostname(), bootId(), processNamespace()]))
    .digest('hex')
    .slice(0, 16);
  return machineDigest;
}

// Linux tells; elsewhere a process id that lives again after a reboot only delays the sweep to the 24 hours.
function bootId(): string {
  if (process.platform !== 'linux') return '';
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

// Containers may share a folder and a host name, and each counts its processes from 1.
function processNamespace(): string {
  if (process.platform !== 'linux') return '';
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
