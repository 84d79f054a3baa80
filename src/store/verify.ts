/**
 * Is the store whole? `verifyStructure` follows the journal to every record and file that it needs; `verifyFiles`
 * hashes every byte that is there. Both go past all caches, change nothing, and give what they find as data.
 * @module
 */
import { stat } from 'node:fs/promises';
import type { Sha256Id } from '../../schemas/ids.ts';
import { HoldoutError } from '../errors.ts';
import { ChunkIndex, readPackIndex } from './chunk-index.ts';
import { errnoOf, ioError } from './io-error.ts';
import { tableOf } from './journal.ts';
import { assertFollows, likelyVersion, readEntry } from './journal-entry.ts';
import { emptyState, foldEntries } from './journal-state.ts';
import type { ChainedEntry, VersionEntry } from './journal-state.ts';
import { listStored, namesIn } from './list-stored.ts';
import { neededBy } from './needs.ts';
import type { LayoutParts, Need, NeedSources } from './needs.ts';
import { readIfThere } from './read-if-there.ts';
import { placesOf } from './quarantine.ts';
import { readRecord } from './records.ts';
import { filePath, journalFolder, journalPath, storedKinds } from './store-paths.ts';
import { checkFile } from './stored-files.ts';

/** Something in the store that is not as it must be. */
export interface Damage {
  readonly kind: Need['kind'] | 'journal';
  /** Null for a journal entry, and for a file whose name is no digest. */
  readonly id: Sha256Id | null;
  readonly problem: 'missing' | 'damaged' | 'foreign' | 'unchecked';
  /** The file, where one is concerned. */
  readonly path: string | null;
  /** In words, for a person. */
  readonly says: string;
  /** Of a damaged journal entry: the version that it seems to have been, as `name@version`. */
  readonly version?: string;
  /** Of a damaged pack: whether what it holds cannot be told either. */
  readonly unindexed?: boolean;
}

/**
 * Checks the chain of the journal, that every record needed can be read and matches its id, and that every file
 * needed is there with its size.
 * @throws HoldoutError `IO`
 */
export async function verifyStructure(root: string, partsOf: LayoutParts): Promise<readonly Damage[]> {
  const { entries, damages } = await verifyJournal(root);
  const chunks = new ChunkIndex(root);
  await chunks.refresh();
  const sources: NeedSources = { root, state: foldEntries(emptyState, entries), chunks, partsOf };
  const seen = new Set<string>();
  for (const { entry } of entries) {
    let needs: readonly Need[];
    try {
      needs = await neededBy(sources, entry);
    } catch (error) {
      if (!(error instanceof HoldoutError) || error.code !== 'STORE_CORRUPT') throw error;
      const path = journalPath(root, entry.seq);
      damages.push({
        kind: 'journal',
        id: null,
        problem: 'damaged',
        path,
        says: `entry ${entry.seq}: ${error.message}`,
      });
      continue;
    }
    for (const need of needs) {
      const key = `${need.kind} ${need.id}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const damage = await checkNeed(root, need);
      if (damage !== null) damages.push(damage);
    }
  }
  return damages;
}

/**
 * Hashes every stored file, and reads the journal and the indexes of the packs.
 * @throws HoldoutError `IO`
 */
export async function verifyFiles(root: string, onProgress?: (bytes: number) => void): Promise<readonly Damage[]> {
  const { damages } = await verifyJournal(root);
  for (const kind of storedKinds) {
    for (const { id, path } of await listStored(root, kind)) {
      if (id === null) {
        damages.push({ kind, id, problem: 'foreign', path, says: `${path} is no file of this store` });
        continue;
      }
      const intact = (await checkFile(root, kind, id)) === 'ok';
      const indexed = kind !== 'pack' || (await readPackIndex(root, id)) !== null;
      if (!intact || !indexed) {
        const says = `the ${kind} ${id} does not match its id`;
        damages.push({ kind, id, problem: 'damaged', path, says, ...(indexed ? {} : { unindexed: true }) });
      }
      onProgress?.((await stat(path)).size);
    }
  }
  return damages;
}

/**
 * The versions whose entries can be read, whatever else the journal has lost.
 * @throws HoldoutError `IO`
 */
export async function readableVersions(root: string): Promise<readonly VersionEntry[]> {
  const { entries } = await verifyJournal(root);
  return entries.flatMap(({ entry }) => (entry.op === 'version' ? [entry] : []));
}

async function verifyJournal(root: string): Promise<{ entries: readonly ChainedEntry[]; damages: Damage[] }> {
  const entries: ChainedEntry[] = [];
  const damages: Damage[] = [];
  let last = 1;
  for (const name of await namesIn(journalFolder(root))) {
    const seq = Number(/^([0-9]{12})\.jsonl$/.exec(name)?.[1] ?? 0);
    last = Math.max(last, seq);
    if (seq === 0)
      damages.push(journalDamage('foreign', `${journalFolder(root)}/${name}`, `${name} is no journal entry`));
  }
  let head: Sha256Id | null = null;
  for (let seq = 1; seq <= last; seq += 1) {
    const path = journalPath(root, seq);
    try {
      const read = await readEntry(root, seq);
      if (read === null) {
        damages.push(journalDamage('missing', path, `journal entry ${seq} is missing`));
        head = null;
        continue;
      }
      entries.push({ ...read, table: await tableOf(root, read.entry) });
      // After an entry that cannot be read, the link to it cannot be checked; the next one can.
      if (head !== null || seq === 1) assertFollows(root, read.entry, head);
      head = read.id;
    } catch (error) {
      if (!(error instanceof HoldoutError) || error.code !== 'STORE_CORRUPT') throw error;
      damages.push({ ...journalDamage('damaged', path, error.message), ...(await likelyVersion(root, seq)) });
      head = null;
    }
  }
  return { entries, damages };
}

function journalDamage(problem: Damage['problem'], path: string, says: string): Damage {
  return { kind: 'journal', id: null, problem, path, says };
}

async function checkNeed(root: string, need: Need): Promise<Damage | null> {
  const { kind, id, bytes } = need;
  if (kind === 'chunk') {
    return { kind, id, problem: 'missing', path: null, says: `chunk ${id} is in no pack that can be read` };
  }
  const path = filePath(root, kind, id);
  const damage = (problem: Damage['problem'], says: string): Damage => ({ kind, id, problem, path, says });
  if (kind === 'record') {
    try {
      await readRecord(root, id);
      return null;
    } catch (error) {
      if (!(error instanceof HoldoutError) || error.code === 'IO') throw error;
      return damage((await readIfThere(path)) === null ? 'missing' : 'damaged', error.message);
    }
  }
  try {
    const { size } = await stat(path);
    const wrong = bytes !== null && size !== bytes;
    return wrong ? damage('damaged', `the ${kind} ${id} has ${size} bytes instead of ${bytes}`) : null;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw ioError('read', path, error);
    // Whoever reads it takes it back.
    if ((await placesOf(root, kind, id)).length > 0) return null;
    return damage('missing', `the ${kind} ${id} is missing`);
  }
}
