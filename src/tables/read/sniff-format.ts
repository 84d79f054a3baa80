/**
 * The format of a file: by its first bytes where they say it, by its name where text could be several things.
 * @module
 */
import { open } from 'node:fs/promises';
import { HoldoutError } from '../../errors.ts';
import { sniffJson } from '../json-scan/sniff-json.ts';
import type { SourceFormat } from './read-table-types.ts';

/**
 * The format of an unpacked file. `name` is the one under which it was given; extensions of compression are ignored.
 * @throws HoldoutError `INPUT_INVALID` when neither content nor name tell.
 */
export async function sniffFormat(path: string, name: string): Promise<SourceFormat> {
  const head = await firstBytes(path);
  const extension = /\.([a-z0-9]+)$/.exec(name.toLowerCase().replace(/\.(?:gz|gzip|zst|zstd)$/, ''))?.[1];
  if (head.length === 0 && (extension === 'parquet' || extension === 'arrow')) {
    throw new HoldoutError('INPUT_INVALID', `the file is empty, which no .${extension} file is`, { file: name });
  }
  if (startsWith(head, 'PAR1')) return 'parquet';
  if (startsWith(head, 'PARE')) {
    throw new HoldoutError('INPUT_INVALID', 'encrypted Parquet files are not read', { file: name });
  }
  if (startsWith(head, 'ARROW1')) return 'arrow-file';
  if (head.length >= 8 && head.readUInt32LE(0) === 0xffffffff && head.readInt32LE(4) >= 0) return 'arrow-stream';
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) {
    throw new HoldoutError('INPUT_INVALID', 'the file is UTF-16 text', { file: name, hint: 'Save it as UTF-8.' });
  }
  if (extension === 'csv' || extension === 'tsv') return extension;
  const first = /^(?:\u{FEFF})?\s*(\S)/u.exec(head.toString('utf8'))?.[1];
  if (first === '{' || first === '[') return sniffJson(path, name);
  if (extension === 'jsonl' || extension === 'ndjson') return 'jsonl';
  // An array or object is read as what it should be, so that the error says what is wrong with it.
  if (extension === 'json') return 'jsonl';
  if (first === undefined) return 'jsonl';
  throw new HoldoutError('INPUT_INVALID', 'neither its content nor its name says what format this is', {
    file: name,
    hint: 'Formats: .jsonl, .json, .csv, .tsv, .parquet, .arrow (each also .gz or .zst where it is text); or say --format.',
  });
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const head = Buffer.alloc(4096);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function startsWith(head: Buffer, magic: string): boolean {
  return head.subarray(0, magic.length).equals(Buffer.from(magic));
}
