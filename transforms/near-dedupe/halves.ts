/**
 * Two numbers of 32 bits as one of 64, to be sorted: the engine's own sort of such arrays is quick and needs no comparator.
 * @module
 */

const littleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** Of number i of a `BigUint64Array` seen as 32-bit numbers, `2 · i + lowHalf` is the one that decides last … */
export const lowHalf = littleEndian ? 0 : 1;
/** … and `2 · i + highHalf` the one that decides first. */
export const highHalf = 1 - lowHalf;
