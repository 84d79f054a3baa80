/**
 * Rows that were made of many: of each the addresses of those, all in one array.
 * @module
 */
import { noRow } from './step-output.ts';

/** For each row the rows that it was made of. */
export interface RowGroups {
  /** Row i was made of the addresses from `ends[i - 1]`, or 0, to before `ends[i]`. */
  readonly ends: Uint32Array;
  /** Ascending within a row. */
  readonly addresses: Uint32Array;
}

/**
 * Groups of rows each of which went to one group or, `noRow`, to none: `groupOf` has the group of each address. Takes 4
 * bytes a group and 4 for each address in one.
 */
export function groupRows(groupOf: Uint32Array, groups: number): RowGroups {
  const ends = new Uint32Array(groups);
  for (const group of groupOf) if (group !== noRow) ends[group]!++;
  let total = 0;
  for (let group = 0; group < groups; group++) {
    const count = ends[group]!;
    ends[group] = total;
    total += count;
  }
  const addresses = new Uint32Array(total);
  // Each start moves to its end while addresses fill in.
  for (const [address, group] of groupOf.entries()) if (group !== noRow) addresses[ends[group]!++] = address;
  return { ends, addresses };
}

/** What row `row` was made of. */
export function groupAt({ ends, addresses }: RowGroups, row: number): Uint32Array {
  return addresses.subarray(row === 0 ? 0 : ends[row - 1]!, ends[row] ?? 0);
}

/** The groups in another order: first that of row `order[0]`. */
export function reorderGroups(groups: RowGroups, order: Uint32Array): RowGroups {
  if (order.every((row, at) => row === at)) return groups;
  const startOf = (row: number): number => (row === 0 ? 0 : groups.ends[row - 1]!);
  const ends = new Uint32Array(order.length);
  let total = 0;
  for (const [at, row] of order.entries()) ends[at] = total += groups.ends[row]! - startOf(row);
  const addresses = new Uint32Array(total);
  let next = 0;
  for (const row of order) {
    for (let from = startOf(row); from < groups.ends[row]!; from++) addresses[next++] = groups.addresses[from]!;
  }
  return { ends, addresses };
}

/** Visits each row with each address that it was made of. */
export function eachAddress(of: Uint32Array | RowGroups, visit: (row: number, address: number) => void): void {
  if (of instanceof Uint32Array) {
    for (const [row, address] of of.entries()) visit(row, address);
    return;
  }
  let next = 0;
  for (const [row, end] of of.ends.entries()) for (; next < end; next++) visit(row, of.addresses[next]!);
}
