/**
 * Digests of source files outside the store, by how the files looked, so that `status` and a second `add` need not
 * read an unchanged file. A file whose mtime lies within two seconds of the look may have changed after it without
 * looking other: its digest is not trusted.
 * @module
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Sha256Id } from '../../schemas/ids.ts';
import { readCache, writeCache } from './cache-file.ts';
import { errnoOf, ioError } from './io-error.ts';
import type { TempFolder } from './temp-folder.ts';

/** How a file looked, and when. Nanoseconds are decimal text: JSON has no such integers. */
export interface SourceLook {
  readonly path: string;
  readonly size: string;
  readonly mtimeNs: string;
  readonly ctimeNs: string;
  readonly ino: string;
  readonly lookedAtNs: string;
}

interface KnownSource extends SourceLook {
  readonly sha256: Sha256Id;
}

interface SourceCacheFile {
  readonly format: 1;
  readonly sources: readonly KnownSource[];
}

const racyNs = 2_000_000_000n;
/** Files that are kept; a dataset may have half as many. */
const sourcesMax = 200_000;
/** Of more files than this it is not looked which are gone: that would take longer than it is worth. */
const lookedAtMax = 5_000;

/** The digests of source files that this store has read. Take a look before reading a file; remember it after. */
export class SourceCache {
  private readonly root: string;
  private readonly temp: TempFolder;
  private readonly sources: Map<string, KnownSource>;
  private readonly fresh = new Map<string, KnownSource>();

  private constructor(root: string, temp: TempFolder, sources: Map<string, KnownSource>) {
    this.root = root;
    this.temp = temp;
    this.sources = sources;
  }

  /** @throws HoldoutError `IO` */
  static async open(root: string, temp: TempFolder): Promise<SourceCache> {
    return new SourceCache(root, temp, await readSources(root));
  }

  /** The digest of a file that has not changed since it was read; null when it must be read. @throws HoldoutError `IO` */
  async known(path: string): Promise<Sha256Id | null> {
    const known = this.sources.get(resolve(path));
    if (known === undefined) return null;
    const now = await this.look(path);
    const unchanged = now !== null && sameFile(now, known);
    const settled = BigInt(known.mtimeNs) + racyNs < BigInt(known.lookedAtNs);
    return unchanged && settled ? known.sha256 : null;
  }

  /** How a file looks now; null when it is not there. To be taken before the file is read. @throws HoldoutError `IO` */
  async look(path: string): Promise<SourceLook | null> {
    const lookedAtNs = String(BigInt(Date.now()) * 1_000_000n);
    try {
      const { size, mtimeNs, ctimeNs, ino } = await stat(path, { bigint: true });
      const look = { size: `${size}`, mtimeNs: `${mtimeNs}`, ctimeNs: `${ctimeNs}`, ino: `${ino}` };
      return { path: resolve(path), ...look, lookedAtNs };
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return null;
      throw ioError('read', path, error);
    }
  }

  /** Keeps the digest of a file that was read after this look, unless it changed meanwhile. @throws HoldoutError `IO` */
  async remember(look: SourceLook, sha256: Sha256Id): Promise<void> {
    const now = await this.look(look.path);
    if (now === null || !sameFile(now, look)) return;
    const known = { ...look, sha256 };
    this.sources.set(look.path, known);
    this.fresh.set(look.path, known);
  }

  /** Writes what was remembered, beside what other processes have. @throws HoldoutError `IO` */
  async save(): Promise<void> {
    if (this.fresh.size === 0) return;
    const all = new Map([...(await readSources(this.root)), ...this.fresh]);
    this.fresh.clear();
    const file: SourceCacheFile = { format: 1, sources: await this.worthKeeping([...all.values()]) };
    await writeCache(this.root, this.temp, 'sources', file);
  }

  /** Without the files that are gone, and without the ones looked at longest ago where they are too many. */
  private async worthKeeping(sources: readonly KnownSource[]): Promise<readonly KnownSource[]> {
    if (sources.length > lookedAtMax) {
      const age = (source: KnownSource): number => -Number(source.lookedAtNs);
      return [...sources].sort((a, b) => age(a) - age(b)).slice(0, sourcesMax);
    }
    const kept: KnownSource[] = [];
    for (const source of sources) if ((await this.look(source.path)) !== null) kept.push(source);
    return kept;
  }
}

async function readSources(root: string): Promise<Map<string, KnownSource>> {
  const file = (await readCache(root, 'sources')) as SourceCacheFile | null;
  return new Map(file?.format === 1 ? file.sources.map((source) => [source.path, source]) : []);
}

function sameFile(a: SourceLook, b: SourceLook): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.ino === b.ino;
}
