/**
 * Which row of a step's inputs each row of its output was made of, as a file: a layout over one piece of addresses, in
 * which the inputs lie end to end and one more address stands for "of no row".
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import { LayoutBuilder } from '../tables/layout-builder.ts';
import { decodeLayout, encodeLayout } from '../tables/layout-file.ts';
import { addressesOf } from '../tables/layout.ts';
import { noRow } from './step-output.ts';

// A layout names parts; here one stands for all inputs together.
const inputsTogether = `sha256:${'0'.repeat(64)}` as Sha256Id;

/** The bytes of the file. `inputRows` is the number of rows of all inputs together. */
export function encodeOrigins(addresses: Uint32Array, inputRows: number): Uint8Array {
  const builder = new LayoutBuilder([{ id: inputsTogether, rows: inputRows + 1 }]);
  for (const address of addresses) builder.push(address === noRow ? inputRows : address, 1);
  return encodeLayout(builder.finish());
}

/**
 * The address of each row, `noRow` where it was made of none.
 * @throws HoldoutError STORE_CORRUPT when the bytes are no such file
 */
export function decodeOrigins(bytes: Uint8Array): Uint32Array {
  const layout = decodeLayout(bytes);
  const inputRows = (layout.parts[0]?.rows ?? 1) - 1;
  return addressesOf(layout).map((address) => (address === inputRows ? noRow : address));
}
