/**
 * The digest of a file.
 * @module
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Sha256Id } from '../../schemas/ids.ts';

/** SHA-256 of a file's bytes. @throws the system's own error where it cannot be read */
export async function fileDigest(path: string): Promise<Sha256Id> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
  }
  return `sha256:${hash.digest('hex')}` as Sha256Id;
}
