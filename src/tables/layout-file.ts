/**
 * The binary file of a layout, docs/STORE.md: `HOLDLAY` and version 1 for layouts over stored parts alone, version 2 for
 * those over stacks of columns. Decoding checks every bound, so that a file that decodes can be used without further
 * checks.
 * @module
 */
import { isWhole, layoutAddressesMax } from './layout.ts';
import type { ColumnSource, Layout, LayoutPart, PartRows, Piece, RowMap, WholePart } from './layout.ts';
import { LayoutReader, LayoutWriter, checkPieces, corruptLayout } from './layout-bytes.ts';

const magic = Buffer.from('HOLDLAY', 'latin1');

/** The bytes of the layout's file. */
export function encodeLayout(layout: Layout): Uint8Array {
  const { parts, pieces, digests } = layout;
  const out = new LayoutWriter();
  out.bytes(magic);
  if (digests === undefined && parts.every(isWhole)) {
    out.varint(1);
    writeWholeParts(out, parts);
    out.pieces(pieces);
    return out.finish();
  }
  if (digests === undefined) throw new TypeError('a layout over stacked parts must say where the digests stand');
  out.varint(2);
  writeStackedParts(out, parts);
  out.pieces(pieces);
  writeWholeParts(out, digests.parts);
  const own = new LayoutWriter();
  own.pieces(digests.pieces);
  const rows = new LayoutWriter();
  rows.pieces(pieces);
  const alike = Buffer.compare(own.finish(), rows.finish()) === 0;
  out.varint(alike ? 0 : 1);
  if (!alike) out.bytes(own.finish());
  return out.finish();
}

function writeWholeParts(out: LayoutWriter, parts: readonly WholePart[]): void {
  out.varint(parts.length);
  for (const part of parts) {
    out.id(part.id);
    out.varint(part.rows);
  }
}

/** Which columns come from the first, second … source of a part; many parts share one. */
type View = readonly ColumnSource['columns'][];

function writeStackedParts(out: LayoutWriter, parts: readonly LayoutPart[]): void {
  const numbers = new Map<string, number>();
  const views: View[] = [];
  const viewOf = (part: LayoutPart): number => {
    if (isWhole(part)) return 0;
    const view = part.sources.map(({ columns }) => columns);
    const key = JSON.stringify(view);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    views.push(view);
    numbers.set(key, views.length);
    return views.length;
  };
  const numbered = parts.map((part) => ({ part, view: viewOf(part) }));
  out.varint(views.length);
  for (const view of views) {
    out.varint(view.length);
    for (const columns of view) {
      out.varint(columns.length);
      for (const [column, stored] of columns) {
        out.text(column);
        out.text(stored);
      }
    }
  }
  out.varint(parts.length);
  for (const { part, view } of numbered) {
    out.varint(view);
    out.varint(part.rows);
    if (isWhole(part)) out.id(part.id);
    else for (const { id } of part.sources) out.id(id);
  }
}

/**
 * Reads the bytes of a layout's file.
 * @throws HoldoutError `STORE_CORRUPT` when they are not one
 */
export function decodeLayout(bytes: Uint8Array): Layout {
  const reader = new LayoutReader(bytes);
  const isLayout = Buffer.compare(reader.take(magic.length), magic) === 0;
  const version = reader.take(1)[0]!;
  if (!isLayout || version === 0 || version > 2) throw corruptLayout('it does not begin as one of version 1 or 2');
  if (version === 1) {
    const parts = readWholeParts(reader);
    const map = mapOf(parts, reader.pieces());
    endOf(reader);
    return map;
  }
  const map = mapOf(readStackedParts(reader), reader.pieces());
  const digestParts = readWholeParts(reader);
  const own = reader.varint();
  if (own > 1) throw corruptLayout('it does not say where the digests stand');
  const digests = mapOf(digestParts, own === 1 ? reader.pieces() : map.pieces);
  if (digests.rows !== map.rows) throw corruptLayout('it has another number of digests than of rows');
  endOf(reader);
  return { ...map, digests };
}

function endOf(reader: LayoutReader): void {
  if (!reader.atEnd) throw corruptLayout('bytes follow its end');
}

function readWholeParts(reader: LayoutReader): WholePart[] {
  const count = reader.varint();
  const parts: WholePart[] = [];
  for (let i = 0; i < count; i++) parts.push({ id: reader.id(), rows: reader.varint() });
  return parts;
}

function readStackedParts(reader: LayoutReader): LayoutPart[] {
  const views: View[] = [];
  for (let count = reader.varint(); count > 0; count--) views.push(readView(reader));
  const parts: LayoutPart[] = [];
  for (let count = reader.varint(); count > 0; count--) {
    const number = reader.varint();
    const rows = reader.varint();
    if (number === 0) {
      parts.push({ id: reader.id(), rows });
      continue;
    }
    const view = views[number - 1];
    if (view === undefined) throw corruptLayout('a part has columns of no known kind');
    parts.push({ rows, sources: view.map((columns) => ({ id: reader.id(), columns })) });
  }
  return parts;
}

function readView(reader: LayoutReader): View {
  const names = new Set<string>();
  const view: ColumnSource['columns'][] = [];
  for (let sources = reader.varint(); sources > 0; sources--) {
    const columns: [string, string][] = [];
    let count = reader.varint();
    if (count === 0) throw corruptLayout('a source gives no column');
    for (; count > 0; count--) {
      const column = reader.text();
      if (names.has(column)) throw corruptLayout('a column comes from two sources');
      names.add(column);
      columns.push([column, reader.text()]);
    }
    view.push(columns);
  }
  return view;
}

/** The checked map of these pieces. */
function mapOf<Part extends PartRows>(parts: readonly Part[], pieces: readonly Piece[]): RowMap<Part> {
  let addresses = 0;
  for (const part of parts) {
    addresses += part.rows;
    if (part.rows === 0 || addresses > layoutAddressesMax) {
      throw corruptLayout('the rows of its parts are out of range');
    }
  }
  let rows = 0;
  for (const piece of pieces) {
    rows += piece.rows;
    if (rows > layoutAddressesMax) throw corruptLayout('it has too many rows');
  }
  checkPieces(pieces, addresses);
  return { rows, parts, pieces };
}
