/**
 * Which row of a step's inputs each row of its output was made of, as a file: a layout over one piece of addresses, in
 * which the inputs lie end to end and one more address stands for "of no row". Rows made of many have a file of another
 * kind, docs/STORE.md: the addresses of all, and where those of each row end.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import { HoldoutError } from '../errors.ts';
import { LayoutBuilder } from '../tables/layout-builder.ts';
import { decodeLayout, encodeLayout } from '../tables/layout-file.ts';
import { addressesOf } from '../tables/layout.ts';
import type { RowGroups } from './row-groups.ts';
import { noRow } from './step-output.ts';

// A layout names parts; here one stands for all inputs together.
const inputsTogether = `sha256:${'0'.repeat(64)}` as Sha256Id;

const magic = Buffer.from('HOLDORG', 'latin1');
const version = 1;
const headBytes = 16;
const numberBytes = 4;

/** The bytes of the file. `inputRows` is the number of rows of all inputs together. */
export function encodeOrigins(origins: Uint32Array | RowGroups, inputRows: number): Uint8Array {
  if (!(origins instanceof Uint32Array)) return encodeGroups(origins, inputRows);
  const builder = new LayoutBuilder([{ id: inputsTogether, rows: inputRows + 1 }]);
  for (const address of origins) builder.push(address === noRow ? inputRows : address, 1);
  return encodeLayout(builder.finish());
}

/**
 * The address of each row, `noRow` where it was made of none; of rows made of many, all of them.
 * @throws HoldoutError STORE_CORRUPT when the bytes are no such file
 */
export function decodeOrigins(bytes: Uint8Array): Uint32Array | RowGroups {
  if (Buffer.compare(bytes.subarray(0, magic.length), magic) === 0) return decodeGroups(bytes);
  const layout = decodeLayout(bytes);
  const inputRows = (layout.parts[0]?.rows ?? 1) - 1;
  return addressesOf(layout).map((address) => (address === inputRows ? noRow : address));
}

function encodeGroups({ ends, addresses }: RowGroups, inputRows: number): Uint8Array {
  const out = Buffer.alloc(headBytes + numberBytes * (ends.length + addresses.length));
  magic.copy(out);
  out[magic.length] = version;
  out.writeUInt32LE(inputRows, 8);
  out.writeUInt32LE(ends.length, 12);
  let at = headBytes;
  for (const numbers of [ends, addresses]) for (const number of numbers) at = out.writeUInt32LE(number, at);
  return out;
}

/** Every bound is checked, so that what decodes can be used without further checks. */
function decodeGroups(given: Uint8Array): RowGroups {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.length);
  if (bytes.length < headBytes || bytes[magic.length] !== version) throw corrupt('it does not begin as one');
  const inputRows = bytes.readUInt32LE(8);
  const count = bytes.readUInt32LE(12);
  const total = (bytes.length - headBytes) / numberBytes - count;
  if (!Number.isInteger(total) || total < 0) throw corrupt('its length does not fit its rows');
  const numbers = (from: number, length: number): Uint32Array => {
    const read = new Uint32Array(length);
    for (let at = 0; at < length; at++) read[at] = bytes.readUInt32LE(headBytes + numberBytes * (from + at));
    return read;
  };
  const ends = numbers(0, count);
  const addresses = numbers(count, total);
  let start = 0;
  for (const end of ends) {
    if (end < start || end > total) throw corrupt('its rows do not follow one another');
    for (let at = start; at < end; at++) {
      if (addresses[at]! >= inputRows) throw corrupt('a row is not one of the inputs');
      if (at > start && addresses[at]! <= addresses[at - 1]!) throw corrupt('the rows of a group do not ascend');
    }
    start = end;
  }
  if (start !== total) throw corrupt('rows follow its last group');
  return { ends, addresses };
}

function corrupt(says: string): HoldoutError {
  return new HoldoutError('STORE_CORRUPT', `a file of origins cannot be read: ${says}`);
}
