/**
 * Which stored rows a new table borrows: candidates by sampled digests, matches by whole ones, and only from parts
 * where it pays.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import { partRecord } from '../../schemas/records.ts';
import type { PartRecord } from '../../schemas/records.ts';
import type { Store } from '../store/store.ts';
import type { DigestFile } from './digest-file.ts';
import { findRows } from './reuse-join.ts';
import { estimateShared, partSample, sampleOf } from './reuse-samples.ts';
import { isWhole, partStarts } from './layout.ts';
import { readLayout } from './stored-parts.ts';

/** A part that rows may be borrowed from. */
export interface Candidate {
  readonly id: Sha256Id;
  readonly record: PartRecord;
}

/** Rows found in stored parts. */
export interface Borrowing {
  readonly candidates: readonly Candidate[];
  /** For each row of the table: 0, or 1 + its address in the candidates laid end to end. */
  readonly found: Uint32Array;
}

/** A part must give this share of the new rows, or half of its own. */
const shareMin = 0.01;
const ownShareMin = 0.5;
/** A table drawn from more parts than this would read slowly. */
const partsMax = 64;

/**
 * Plans what `table` borrows from the parts of these layouts, the most likely ones first. `usable` says whether a part
 * can stand for rows of this table at all.
 */
export async function planBorrowing(
  store: Store,
  table: DigestFile,
  layouts: readonly Sha256Id[],
  usable: (record: PartRecord, id: Sha256Id) => boolean,
): Promise<Borrowing> {
  const candidates = await findCandidates(store, table, layouts, usable);
  const files = await Promise.all(
    candidates.map(async ({ record }) => {
      await store.ensureIntact('digests', record.digests.sha256);
      return { path: store.filePath('digests', record.digests.sha256), rows: record.rows };
    }),
  );
  const found = await findRows(table, files);
  dropPoorParts(candidates, found);
  return { candidates, found };
}

async function findCandidates(
  store: Store,
  table: DigestFile,
  layouts: readonly Sha256Id[],
  usable: (record: PartRecord, id: Sha256Id) => boolean,
): Promise<Candidate[]> {
  const ids = new Set<Sha256Id>();
  for (const layout of layouts) {
    // Columns beside a part are no rows that stand by themselves.
    for (const part of (await readLayout(store, layout)).parts) if (isWhole(part)) ids.add(part.id);
  }
  if (ids.size === 0 || table.rows === 0) return [];
  const sample = await sampleOf(table);
  const known = new Set(sample.keys);
  const scored: { candidate: Candidate; shared: number }[] = [];
  for (const id of ids) {
    const record = await store.getRecord(id, partRecord);
    if (!usable(record, id)) continue;
    const shared = estimateShared(known, sample.shift, await partSample(store, record.digests.sha256, record.rows));
    if (pays(shared, table.rows, record.rows)) scored.push({ candidate: { id, record }, shared });
  }
  scored.sort((a, b) => b.shared - a.shared);
  return scored.slice(0, partsMax).map(({ candidate }) => candidate);
}

function pays(shared: number, rows: number, partRows: number): boolean {
  return shared > 0 && (shared >= rows * shareMin || shared >= partRows * ownShareMin);
}

/** Rows found in a part that gives too few are stored anew. */
function dropPoorParts(candidates: readonly Candidate[], found: Uint32Array): void {
  const starts = partStarts(candidates.map(({ id, record }) => ({ id, rows: record.rows })));
  const given = candidates.map(() => 0);
  // Rows mostly follow one another within a part, so the last part is the first guess.
  let part = 0;
  const partOf = (address: number): number => {
    if (address >= starts[part]! && address < starts[part + 1]!) return part;
    part = 0;
    while (address >= starts[part + 1]!) part++;
    return part;
  };
  for (const place of found) if (place !== 0) given[partOf(place - 1)]! += 1;
  const poor = candidates.map(({ record }, index) => !pays(given[index]!, found.length, record.rows));
  if (!poor.includes(true)) return;
  for (const [row, place] of found.entries()) if (place !== 0 && poor[partOf(place - 1)]!) found[row] = 0;
}
