/**
 * Raw files back as they were, byte for byte, and checked against their digest.
 * @module
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { blobRecord, realisationRecord } from '../../schemas/records.ts';
import type { BlobRecord, LineFixups } from '../../schemas/records.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import type { VersionEntry } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';
import { writeNewFile } from '../tables/new-file.ts';
import { openTable } from '../tables/table-reader.ts';

/**
 * Writes the files that a version was read from into a folder; returns their paths.
 * @throws HoldoutError `NOT_FOUND` when their bytes are not kept, `CONFLICT` when a file exists, `STORE_CORRUPT`, `IO`
 */
export async function exportRaw(
  store: Store,
  engine: Engine,
  version: VersionEntry,
  directory: string,
  options: { readonly force?: boolean } = {},
): Promise<readonly string[]> {
  const { blobs } = await store.getRecord(version.realisation, realisationRecord);
  const name = `${version.name}@${version.version}`;
  if (blobs.length === 0) {
    throw new HoldoutError('NOT_FOUND', `${name} was derived from another version, so it has no raw files of its own`, {
      hint: 'Export its rows, or the raw files of the version that it was derived from.',
    });
  }
  const records: BlobRecord[] = [];
  for (const id of blobs) records.push(await store.getRecord(id, blobRecord));
  for (const record of records) refuseUnkept(record);
  await makeDirectory(directory);
  const paths: string[] = [];
  const taken = new Set<string>();
  for (const [index, record] of records.entries()) {
    const plain = basename(record.name) || 'raw';
    // Files of one name came from several folders.
    const path = join(directory, taken.has(plain) ? `${index + 1}-${plain}` : plain);
    taken.add(basename(path));
    await writeNewFile(path, { force: options.force ?? false }, (temporary) =>
      writeRawFile(store, engine, record, temporary),
    );
    paths.push(path);
  }
  return paths;
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'EEXIST' && code !== 'ENOTDIR') throw cause;
    throw new HoldoutError('CONFLICT', 'a file stands where a folder is needed', {
      file: directory,
      hint: 'Name a folder; it is made where there is none.',
      cause,
    });
  }
}

/**
 * Writes a raw file's bytes to a new file, and checks them against its digest.
 * @throws HoldoutError `NOT_FOUND` when its bytes are not kept, `STORE_CORRUPT`, `IO`
 */
export async function writeRawFile(store: Store, engine: Engine, blob: BlobRecord, path: string): Promise<void> {
  refuseUnkept(blob);
  const hash = createHash('sha256');
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const bytes of rawBytes(store, engine, blob)) {
      hash.update(bytes);
      yield bytes;
    }
  }
  await pipeline(Readable.from(hashed(), { objectMode: true }), createWriteStream(path, { flags: 'wx' }));
  const found = `sha256:${hash.digest('hex')}`;
  if (found === blob.sha256) return;
  throw new HoldoutError(
    'STORE_CORRUPT',
    `the stored bytes of ${blob.name} have digest ${found} instead of ${blob.sha256}`,
    {
      hint: 'Run "holdout verify --read-data".',
    },
  );
}

function refuseUnkept(blob: BlobRecord): void {
  if (blob.content.kind !== 'digest') return;
  throw new HoldoutError('NOT_FOUND', `the bytes of ${blob.name} are not kept, only its rows and its digest`, {
    hint: 'Files other than plain JSON Lines are kept byte for byte with "holdout add --raw".',
  });
}

/**
 * A raw file's bytes; none where they are not kept.
 * @throws HoldoutError `STORE_CORRUPT`, `IO`, while they are read
 */
export async function* rawBytes(store: Store, engine: Engine, { content }: BlobRecord): AsyncGenerator<Uint8Array> {
  switch (content.kind) {
    case 'chunks':
      yield* store.readChunks(content.chunks);
      return;
    case 'lines': {
      const reader = await openTable(store, engine, content);
      try {
        yield* withFixups(fileLines(reader.jsonLines(), content.firstRow, content.rows), content.rows, content.fixups);
      } finally {
        await reader.close();
      }
      return;
    }
    case 'digest':
      return;
  }
}

/** The lines of rows `first` … `first + rows - 1`, each ended by LF. */
async function* fileLines(
  blocks: AsyncIterable<{ readonly firstRow: number; readonly rows: number; readonly bytes: Uint8Array }>,
  first: number,
  rows: number,
): AsyncGenerator<Uint8Array> {
  for await (const block of blocks) {
    const from = Math.max(0, first - block.firstRow);
    const to = Math.min(block.rows, first + rows - block.firstRow);
    if (block.firstRow >= first + rows) return;
    if (from >= to) continue;
    if (from === 0 && to === block.rows) yield block.bytes;
    else yield block.bytes.subarray(lineStart(block.bytes, from), lineStart(block.bytes, to));
  }
}

function lineStart(bytes: Uint8Array, line: number): number {
  let at = 0;
  for (let i = 0; i < line; i++) at = bytes.indexOf(10, at) + 1;
  return at;
}

/** Puts back what reading took away: byte order mark, blank lines, line ends, a missing last line end. */
async function* withFixups(
  blocks: AsyncIterable<Uint8Array>,
  rows: number,
  fixups: LineFixups,
): AsyncGenerator<Uint8Array> {
  if (fixups.bom) yield Uint8Array.of(0xef, 0xbb, 0xbf);
  const lines = rows + fixups.blanks.length;
  if (fixups.ends === 'lf' && fixups.blanks.length === 0) {
    let held: Uint8Array | null = null;
    for await (const block of blocks) {
      if (held !== null) yield held;
      held = block;
    }
    if (held !== null) yield fixups.finalNewline ? held : held.subarray(0, -1);
    return;
  }
  const crlf = fixups.ends === 'crlf' ? null : new Set(fixups.ends === 'lf' ? [] : fixups.ends);
  let line = 0;
  let nextBlank = 0;
  const endOf = (at: number): string => {
    if (at === lines - 1 && !fixups.finalNewline) return '';
    return crlf === null || crlf.has(at) ? '\r\n' : '\n';
  };
  const blankLines = (): Buffer => {
    let text = '';
    while (fixups.blanks[nextBlank]?.[0] === line) text += fixups.blanks[nextBlank++]![1] + endOf(line++);
    return Buffer.from(text, 'latin1');
  };
  for await (const block of blocks) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < block.length;) {
      pieces.push(blankLines());
      const end = block.indexOf(10, at);
      pieces.push(block.subarray(at, end), Buffer.from(endOf(line++)));
      at = end + 1;
    }
    yield Buffer.concat(pieces);
  }
  yield blankLines();
}
