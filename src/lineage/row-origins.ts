/**
 * Of which row of its inputs each row of a step's output was made, out of what is recorded: a file of origins, or the
 * digests of rows that a step left as they were.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { type Sha256Id, sha256Id } from '../../schemas/ids.ts';
import type { TableRef } from '../../schemas/records.ts';
import { DIGEST_BYTES } from '../merkle/table-tree.ts';
import type { Store } from '../store/store.ts';
import type { TableReader } from '../tables/table-reader.ts';
import { DigestSlots } from '../merkle/digest-slots.ts';
import { shortStepName } from './find-step.ts';
import type { LineageStep } from './graph.ts';
import { decodeOrigins } from './origins.ts';
import type { RowGroups } from './row-groups.ts';
import { setBit } from './row-values.ts';
import { noRow } from './step-output.ts';

/** How the tables of a lineage are opened; whoever opens may rebuild those that were dropped. */
export interface TableAccess {
  readonly store: Store;
  readonly open: (ref: TableRef) => Promise<TableReader>;
  /** Row digests of a table in its order, 32 bytes each. */
  readonly digests: (ref: TableRef) => Promise<Uint8Array>;
}

/** Of which row each row was made. */
export type RowOrigins =
  /** Position in the step's inputs laid end to end, `noRow` where it was made of none; of rows made of many, all. */
  | { readonly kind: 'rows'; readonly of: Uint32Array | RowGroups }
  /** Row i of row i of the first input. */
  | { readonly kind: 'same' }
  /** Nobody can say. */
  | { readonly kind: 'unknown'; readonly why: string };

/** What is asked of a step whose rows' origins are meant. */
export interface OriginatingStep extends Pick<LineageStep, 'derivation' | 'realisation'> {
  readonly inputs: readonly { readonly ref: TableRef }[];
}

/**
 * The origins of a step's rows.
 * @throws HoldoutError as the store does.
 */
export async function originsOf(
  access: Pick<TableAccess, 'store' | 'digests'>,
  { derivation, realisation, inputs }: OriginatingStep,
): Promise<RowOrigins> {
  const { origins, output, whyUnknown } = realisation;
  if (origins === 'same') return { kind: 'same' };
  if (origins === 'unknown') {
    const name = shortStepName(derivation.transform.name);
    const why = whyUnknown === undefined ? '' : `: ${whyUnknown}`;
    return { kind: 'unknown', why: `${name} does not say of which rows it made its own${why}` };
  }
  if (origins !== undefined) {
    const id: Sha256Id = sha256Id.parse(origins);
    await access.store.ensureIntact('origins', id);
    return { kind: 'rows', of: decodeOrigins(await readFile(access.store.filePath('origins', id))) };
  }
  const [input] = inputs;
  if (input === undefined) return { kind: 'unknown', why: 'a read step has no rows before it' };
  const from = await digestsOf(access, input.ref);
  const to = await digestsOf(access, output);
  const of = selectedPositions(from, to) ?? matchedPositions(from, to);
  if (of !== null) return { kind: 'rows', of };
  return { kind: 'unknown', why: `${shortStepName(derivation.transform.name)} changed rows and left no word of which` };
}

/** Row digests of a table, in its order. */
export function digestsOf(access: Pick<TableAccess, 'digests'>, ref: TableRef): Promise<Uint8Array> {
  return access.digests({ table: ref.table, schema: ref.schema });
}

/** First address of each input of a step, as its origins count them, and one past the last. */
export function inputStarts(steps: readonly LineageStep[], { inputs }: LineageStep): readonly number[] {
  const starts = [0];
  for (const { step } of inputs) starts.push(starts.at(-1)! + steps[step]!.realisation.output.rows);
  return starts;
}

/** The input and the row in it that an address means; null for `noRow`. */
export function rowAtAddress(
  starts: readonly number[],
  address: number,
): { readonly input: number; readonly row: number } | null {
  if (address === noRow || address >= starts.at(-1)!) return null;
  const input = starts.findLastIndex((start) => start <= address);
  // An empty input begins where the next one does.
  return { input, row: address - starts[input]! };
}

/**
 * Positions in `before` of the rows of `after`, where these are some of those in their order; otherwise null. Of equal
 * rows the first that fits is taken.
 */
export function selectedPositions(before: Uint8Array, after: Uint8Array): Uint32Array | null {
  const wanted = Buffer.from(after.buffer, after.byteOffset, after.length);
  const positions = new Uint32Array(after.length / DIGEST_BYTES);
  let at = 0;
  for (let row = 0; row < positions.length; row++) {
    const start = row * DIGEST_BYTES;
    while (at < before.length && wanted.compare(before, at, at + DIGEST_BYTES, start, start + DIGEST_BYTES) !== 0)
      at += DIGEST_BYTES;
    if (at >= before.length) return null;
    positions[row] = at / DIGEST_BYTES;
    at += DIGEST_BYTES;
  }
  return positions;
}

/**
 * Positions in `before` of the rows of `after` in whatever order, or null where a row was not there. Of equal rows the
 * first goes with the first. Beside the digests it holds 12 to 20 bytes a row of `before`, 4 a row of `after`.
 */
export function matchedPositions(before: Uint8Array, after: Uint8Array): Uint32Array | null {
  const slots = new DigestSlots(before);
  const rows = before.length / DIGEST_BYTES;
  // Equal rows of `before` as chains of row numbers + 1; 0 ends one. From the last row on, so that the first heads it.
  const next = new Uint32Array(rows);
  for (let row = rows - 1; row >= 0; row--) {
    const slot = slots.find(before, row);
    next[row] = slots.taken[slot]!;
    slots.taken[slot] = row + 1;
  }
  const spent = new Uint8Array(Math.ceil(rows / 8));
  const positions = new Uint32Array(after.length / DIGEST_BYTES);
  for (let row = 0; row < positions.length; row++) {
    const slot = slots.find(after, row);
    const head = slots.taken[slot]! - 1;
    if (head < 0 || ((spent[head >>> 3]! >>> (head & 7)) & 1) === 1) return null;
    positions[row] = head;
    // The last of a chain stays: others are found by going past its slot.
    if (next[head] === 0) setBit(spent, head);
    else slots.taken[slot] = next[head]!;
  }
  return positions;
}

/** A selection or a mapping has the rows of its first input; what else it looks at stays where it is. */
export function rowsFrom({ realisation: { origins, kept }, inputs }: LineageStep): LineageStep['inputs'] {
  const ofFirst = origins === undefined || origins === 'same' || kept !== undefined;
  return ofFirst ? inputs.slice(0, 1) : inputs;
}
