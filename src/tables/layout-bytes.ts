/**
 * Bytes of layout files: what both versions are written with and read by. Nothing is read behind the end, and no count
 * is believed that the bytes after it do not bear out.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import { sha256Id } from '../../schemas/ids.ts';
import { HoldoutError } from '../errors.ts';
import { forEachRun } from './layout.ts';
import type { Piece } from './layout.ts';
import { varintBytes, writeVarint } from './layout-builder.ts';

const kinds = ['range', 'bitmap', 'runs', 'packed'] as const;
const prefix = 'sha256:';
const pieceRowsMax = 1 << 24;

/** Bytes that grow at their end. */
export class LayoutWriter {
  #bytes = new Uint8Array(1024);
  #size = 0;

  bytes(more: Uint8Array): void {
    this.#reserve(more.length);
    this.#bytes.set(more, this.#size);
    this.#size += more.length;
  }

  varint(value: number): void {
    this.#reserve(varintBytes(value));
    this.#size = writeVarint(this.#bytes, this.#size, value);
  }

  id(id: Sha256Id): void {
    this.bytes(Buffer.from(id.slice(prefix.length), 'hex'));
  }

  text(text: string): void {
    const bytes = Buffer.from(text);
    this.varint(bytes.length);
    this.bytes(bytes);
  }

  pieces(pieces: readonly Piece[]): void {
    this.varint(pieces.length);
    for (const piece of pieces) this.#piece(piece);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }

  #piece(piece: Piece): void {
    this.varint(kinds.indexOf(piece.kind));
    this.varint(piece.rows);
    this.varint(piece.from);
    if (piece.kind === 'range') return;
    if (piece.kind === 'packed') this.bytes(Uint8Array.of(piece.width));
    const payload = piece.kind === 'bitmap' ? piece.bits : piece.bytes;
    this.varint(payload.length);
    this.bytes(payload);
  }

  #reserve(more: number): void {
    if (this.#size + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#size + more));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }
}

/** A cursor over the bytes that never reads behind their end. */
export class LayoutReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(count: number): Uint8Array {
    if (this.#at + count > this.#bytes.length) throw corruptLayout('it ends too early');
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
    throw corruptLayout('a number is too long');
  }

  id(): Sha256Id {
    return sha256Id.parse(prefix + Buffer.from(this.take(32)).toString('hex'));
  }

  text(): string {
    const bytes = this.take(this.varint());
    try {
      // A byte order mark at the beginning is a character of the name.
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw corruptLayout('a name is no UTF-8');
    }
  }

  /** The pieces, not yet checked against the parts. */
  pieces(): Piece[] {
    const count = this.varint();
    // Every piece takes bytes of its own, so a wrong count runs into the end before it costs memory.
    const pieces: Piece[] = [];
    for (let i = 0; i < count; i++) pieces.push(this.#piece());
    return pieces;
  }

  #piece(): Piece {
    const kind = kinds[this.take(1)[0]!];
    const rows = this.varint();
    const from = this.varint();
    if (rows === 0 || kind === undefined) throw corruptLayout('it has a piece of no known kind');
    if (kind === 'range') return { kind, rows, from };
    // Repeated rows take no bits, so the bytes of a piece alone do not bound its rows.
    if (rows > pieceRowsMax) throw corruptLayout('a piece has too many rows');
    const width = kind === 'packed' ? this.take(1)[0]! : 0;
    const payload = this.take(this.varint());
    if (kind === 'bitmap') return { kind, rows, from, bits: payload };
    if (kind === 'runs') return { kind, rows, from, bytes: payload };
    if (width > 32 || payload.length !== Math.ceil((rows * width) / 8)) {
      throw corruptLayout('a packed piece has a wrong size');
    }
    return { kind, rows, from, width, bytes: payload };
  }
}

/**
 * Walks the pieces once: all addresses inside the parts, as many rows as each says. Takes time by the bytes of a piece,
 * not by its rows.
 * @throws HoldoutError `STORE_CORRUPT`
 */
export function checkPieces(pieces: readonly Piece[], addresses: number): void {
  for (const piece of pieces) checkPiece(piece, addresses);
}

function checkPiece(piece: Piece, addresses: number): void {
  let rows = 0;
  const check = (from: number, count: number): void => {
    rows += count;
    if (!(from >= 0 && count > 0 && from + count <= addresses)) throw corruptLayout('a row lies outside its parts');
  };
  if (piece.kind === 'packed' && piece.width === 0) {
    check(piece.from, 1);
    return;
  }
  try {
    forEachRun({ pieces: [piece] }, check);
  } catch (cause) {
    if (cause instanceof RangeError) throw corruptLayout(cause.message);
    throw cause;
  }
  if (rows !== piece.rows) throw corruptLayout('a piece has another number of rows than it says');
}

/** The error for bytes that are no layout. */
export function corruptLayout(why: string): HoldoutError {
  return new HoldoutError('STORE_CORRUPT', `not a layout file: ${why}`);
}
