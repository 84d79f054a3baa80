import { BandFile } from '../../dist/transforms/near-dedupe/band-file.js';

/** Words that are told apart by number. */
export const sentence = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `word${from + i}`).join(' ');

/** Bands in a file of this path, as the step has them; the caller closes it. */
export const bandsOf = (path: string, bands: readonly Uint32Array[]): BandFile => {
  const file = new BandFile(path, bands.length, bands[0]!.length);
  for (const [band, numbers] of bands.entries()) {
    file.write(band, 5, numbers.subarray(5));
    file.write(band, 0, numbers.subarray(0, 5));
  }
  return file;
};
