/**
 * Recomputes row digests from the stored values: of a part against its sidecar, of stacks of columns against the digests
 * of the table that they make.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { rowDigestSql } from '../identity/row-encoding-sql.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import type { Store } from '../store/store.ts';
import { readDigests } from '../tables/digest-file.ts';
import { isWhole, rowsOfPart } from '../tables/layout.ts';
import type { Layout, RowsOfPart } from '../tables/layout.ts';
import { fileRowsSql } from '../tables/row-file.ts';
import type { RowFile } from '../tables/row-file.ts';
import { freeName } from '../tables/sql-types.ts';
import { openLayoutPart, openPart } from '../tables/stored-parts.ts';

const stretchRowsMax = 1 << 16;
const digestBytes = 32;

/**
 * Recomputes the digests of a part's rows; says what differs from its sidecar, or null.
 * @throws HoldoutError as the store and the engine do
 */
export async function checkPart(store: Store, engine: Engine, id: Sha256Id): Promise<string | null> {
  const { record, file } = await openPart(store, id);
  let problem: string | null = null;
  const sidecar = { path: store.filePath('digests', record.digests.sha256), rows: record.rows };
  await readDigests(sidecar, 0, record.rows, async (expected, first) => {
    if (problem !== null) return;
    const count = expected.length / digestBytes;
    const digests = await digestsOfRows(engine, file, file.schema, first, count);
    if (digests.length !== count) problem = `the part ${id} holds other rows than its record says`;
    for (const [index, digest] of digests.entries()) {
      if (
        digest !== null &&
        expected.compare(digest, 0, digestBytes, index * digestBytes, (index + 1) * digestBytes) === 0
      )
        continue;
      problem ??= `row ${first + index} of the part ${id} is not what its digest says`;
    }
  });
  return problem;
}

/**
 * Recomputes the digests of the table's rows that come from stacks; `problem` says what differs from `digests`, which are
 * the table's, in order.
 * @throws HoldoutError as the store and the engine do
 */
export async function checkStacks(
  store: Store,
  engine: Engine,
  layout: Layout,
  schema: TableSchema,
  digests: Uint8Array,
): Promise<{ readonly rows: number; readonly problem: string | null }> {
  let rows = 0;
  if (layout.parts.every(isWhole)) return { rows, problem: null };
  for (const used of rowsOfPart(layout)) {
    if (isWhole(used.part)) continue;
    const position = await differingRow(engine, await openLayoutPart(store, used.part), schema, used, digests);
    if (position !== null) return { rows, problem: `row ${position} is not what its digest says, in the rows` };
    rows += used.rows.length;
  }
  return { rows, problem: null };
}

/** Position in the table of a row whose values are not what its digest says. */
async function differingRow(
  engine: Engine,
  file: RowFile,
  schema: TableSchema,
  { rows, positions }: RowsOfPart<Layout['parts'][number]>,
  digests: Uint8Array,
): Promise<number | null> {
  // Uses of the stack's rows by row number, so that the stack is read once and in its own order.
  const order = Uint32Array.from(rows, (_row, index) => index).sort((a, b) => rows[a]! - rows[b]!);
  let next = 0;
  for (let first = 0; first < file.rows && next < order.length; first += stretchRowsMax) {
    const count = Math.min(stretchRowsMax, file.rows - first);
    if (rows[order[next]!]! >= first + count) continue;
    const found = await digestsOfRows(engine, file, schema, first, count);
    for (; next < order.length && rows[order[next]!]! < first + count; next++) {
      const position = positions[order[next]!]!;
      const digest = found[rows[order[next]!]! - first];
      const expected = digests.subarray(position * digestBytes, (position + 1) * digestBytes);
      if (digest === undefined || digest === null || Buffer.compare(digest, expected) !== 0) return position;
    }
  }
  return null;
}

async function digestsOfRows(
  engine: Engine,
  file: RowFile,
  schema: TableSchema,
  first: number,
  count: number,
): Promise<(Uint8Array | null)[]> {
  const rowName = freeName(schema, 'holdout_row');
  const row = quoteIdentifier(rowName);
  const rows = fileRowsSql(engine, file, schema, rowName, { first, last: first + count - 1 });
  const sql = `SELECT h FROM (SELECT ${row}, ${rowDigestSql(schema)} AS h FROM (${rows})) ORDER BY ${row}`;
  const digests: (Uint8Array | null)[] = [];
  await engine.stream(sql, count, (chunk) => {
    for (let i = 0; i < chunk.rows; i++) digests.push(chunk.bytes(0, i));
  });
  return digests;
}
