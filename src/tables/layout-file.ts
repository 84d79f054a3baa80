/**
 * The binary file of a layout: `HOLDLAY` and version 1; the parts (32-byte id, rows); the pieces (kind, rows, from,
 * what the kind needs). Numbers are varints of 7 bits a byte, least first. Decoding checks every bound, so that a file
 * that decodes can be used without further checks.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import { sha256Id } from '../../schemas/ids.ts';
import { forEachRun, layoutAddressesMax } from './layout.ts';
import { varintBytes, writeVarint } from './layout-builder.ts';
import type { Layout, LayoutPart, Piece } from './layout.ts';

const magic = Buffer.from('HOLDLAY\x01', 'latin1');
const kinds = ['range', 'bitmap', 'runs', 'packed'] as const;
const prefix = 'sha256:';
const pieceRowsMax = 1 << 24;

/** The bytes of the layout's file. */
export function encodeLayout(layout: Layout): Uint8Array {
  let size = magic.length + varintBytes(layout.parts.length) + varintBytes(layout.pieces.length);
  for (const part of layout.parts) size += 32 + varintBytes(part.rows);
  for (const piece of layout.pieces) size += pieceBytes(piece);
  const bytes = new Uint8Array(size);
  bytes.set(magic);
  let at = writeVarint(bytes, magic.length, layout.parts.length);
  for (const part of layout.parts) {
    bytes.set(Buffer.from(part.id.slice(prefix.length), 'hex'), at);
    at = writeVarint(bytes, at + 32, part.rows);
  }
  at = writeVarint(bytes, at, layout.pieces.length);
  for (const piece of layout.pieces) at = writePiece(bytes, at, piece);
  return bytes;
}

function payloadOf(piece: Piece): Uint8Array | null {
  if (piece.kind === 'range') return null;
  return piece.kind === 'bitmap' ? piece.bits : piece.bytes;
}

function pieceBytes(piece: Piece): number {
  const payload = payloadOf(piece);
  return (
    1 +
    varintBytes(piece.rows) +
    varintBytes(piece.from) +
    (piece.kind === 'packed' ? 1 : 0) +
    (payload === null ? 0 : varintBytes(payload.length) + payload.length)
  );
}

function writePiece(bytes: Uint8Array, start: number, piece: Piece): number {
  bytes[start] = kinds.indexOf(piece.kind);
  let at = writeVarint(bytes, start + 1, piece.rows);
  at = writeVarint(bytes, at, piece.from);
  if (piece.kind === 'packed') bytes[at++] = piece.width;
  const payload = payloadOf(piece);
  if (payload === null) return at;
  at = writeVarint(bytes, at, payload.length);
  bytes.set(payload, at);
  return at + payload.length;
}

/**
 * Reads the bytes of a layout's file.
 * @throws HoldoutError STORE_CORRUPT when they are not one
 */
export function decodeLayout(bytes: Uint8Array): Layout {
  const reader = new LayoutBytes(bytes);
  if (Buffer.compare(reader.take(magic.length), magic) !== 0) throw corrupt('it does not begin as one of version 1');
  const partCount = reader.varint();
  // Every part and piece takes bytes of its own, so a wrong count runs into the end before it costs memory.
  const parts: LayoutPart[] = [];
  let addresses = 0;
  for (let i = 0; i < partCount; i++) {
    const id = sha256Id.parse(prefix + Buffer.from(reader.take(32)).toString('hex'));
    const rows = reader.varint();
    addresses += rows;
    if (rows === 0 || addresses > layoutAddressesMax) throw corrupt('the rows of its parts are out of range');
    parts.push({ id, rows });
  }
  const pieceCount = reader.varint();
  const pieces: Piece[] = [];
  let rows = 0;
  for (let i = 0; i < pieceCount; i++) {
    const piece = readPiece(reader);
    pieces.push(piece);
    rows += piece.rows;
    if (rows > layoutAddressesMax) throw corrupt('it has too many rows');
  }
  if (!reader.atEnd) throw corrupt('bytes follow its end');
  const layout: Layout = { rows, parts, pieces };
  for (const piece of pieces) checkPiece(piece, addresses);
  return layout;
}

function readPiece(reader: LayoutBytes): Piece {
  const kind = kinds[reader.take(1)[0]!];
  const rows = reader.varint();
  const from = reader.varint();
  if (rows === 0 || kind === undefined) throw corrupt('it has a piece of no known kind');
  if (kind === 'range') return { kind, rows, from };
  // Repeated rows take no bits, so the bytes of a piece alone do not bound its rows.
  if (rows > pieceRowsMax) throw corrupt('a piece has too many rows');
  const width = kind === 'packed' ? reader.take(1)[0]! : 0;
  const payload = reader.take(reader.varint());
  if (kind === 'bitmap') return { kind, rows, from, bits: payload };
  if (kind === 'runs') return { kind, rows, from, bytes: payload };
  if (width > 32 || payload.length !== Math.ceil((rows * width) / 8)) throw corrupt('a packed piece has a wrong size');
  return { kind, rows, from, width, bytes: payload };
}

/** Walks the piece once: all addresses inside the parts, as many rows as it says. */
function checkPiece(piece: Piece, addresses: number): void {
  let rows = 0;
  const check = (from: number, count: number): void => {
    rows += count;
    if (!(from >= 0 && count > 0 && from + count <= addresses)) throw corrupt('a row lies outside its parts');
  };
  try {
    forEachRun({ rows: piece.rows, parts: [], pieces: [piece] }, check);
  } catch (cause) {
    if (cause instanceof RangeError) throw corrupt(cause.message);
    throw cause;
  }
  if (rows !== piece.rows) throw corrupt('a piece has another number of rows than it says');
}

/** A cursor over the bytes that never reads behind their end. */
class LayoutBytes {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(count: number): Uint8Array {
    if (this.#at + count > this.#bytes.length) throw corrupt('it ends too early');
    const taken = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 5; i++) {
      const byte = this.take(1)[0]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw corrupt('a number is too long');
  }
}

function corrupt(why: string): HoldoutError {
  return new HoldoutError('STORE_CORRUPT', `not a layout file: ${why}`);
}
