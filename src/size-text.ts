/**
 * Sizes in the unit in which people know them.
 * @module
 */

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Bytes with three significant digits: `743 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  if (unit === 0) return `${value} B`;
  // A limit of exactly 1 GiB is not 1.00 of them.
  const digits = Number.isInteger(value) ? 0 : value < 10 ? 2 : value < 100 ? 1 : 0;
  return `${value.toFixed(digits)} ${units[unit]}`;
}
