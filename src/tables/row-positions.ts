/**
 * Rows of a file and where they stand in a table, as a narrow temporary table that the engine joins with the file.
 * Rows that keep their order, as a filter leaves them, take a line for each 32 rows of the file: which of them stand in
 * the table, and the position of the first. Other rows take a line each.
 * @module
 */
import type { Engine } from '../engine/engine.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';

/** A temporary table of rows and their positions. */
export interface RowPositions {
  readonly table: string;
  /** `pairs`: columns `source`, a row, and `target`, its position. `words`: `word`, `bits` and `target` of its lowest bit. */
  readonly form: 'pairs' | 'words';
  /** First and last row of the file. */
  readonly least: number;
  readonly most: number;
  /** For each 2,048 rows of the file whether one of them stands in the table, as digits; null where nearly all do. */
  readonly zones: string | null;
}

/** How rows are joined with their positions. */
export interface PositionJoin {
  /** What stands behind `FROM … AS r`. */
  readonly join: string;
  /** The position, a BIGINT. */
  readonly position: string;
}

let tables = 0;

/** Registers rows of a file, in the order of the table, and the position of each. There is at least one. */
export async function registerPositions(
  engine: Engine,
  rows: Uint32Array,
  positions: Uint32Array,
): Promise<RowPositions> {
  const table = `holdout_rows_${++tables}`;
  const words = wordsOf(rows, positions);
  if (words !== null) {
    const [least, most] = [rows[0]!, rows.at(-1)!];
    const zones = zonesOf(words.words, rowsPerZone / rowsPerWord, least, most);
    await engine.registerTable(table, [
      { name: 'word', type: 'UINTEGER', values: words.words },
      { name: 'bits', type: 'UINTEGER', values: words.bits },
      { name: 'target', type: 'UINTEGER', values: words.targets },
    ]);
    return { table, form: 'words', least, most, zones };
  }
  let least = Infinity;
  let most = 0;
  for (const row of rows) {
    if (row < least) least = row;
    if (row > most) most = row;
  }
  const zones = zonesOf(rows, rowsPerZone, least, most);
  await engine.registerTable(table, [
    { name: 'source', type: 'UINTEGER', values: rows },
    { name: 'target', type: 'UINTEGER', values: positions },
  ]);
  return { table, form: 'pairs', least, most, zones };
}

/** The join of relation `r`, whose column `row` (quoted) holds row numbers. `ofStack`: `r` is a positional join. */
export function positionJoin({ table, form, zones }: RowPositions, row: string, ofStack: boolean): PositionJoin {
  const number = `r.${row}`;
  const bit = `(${number} % ${rowsPerWord})`;
  const bits = 'm.bits::BIGINT';
  const words = form === 'words';
  const where = [
    ...(words ? [`(${bits} >> ${bit}) & 1 = 1`] : []),
    // The reader evaluates it before it unpacks anything else of a row group.
    ...(zones === null || ofStack ? [] : [`get_bit('${zones}'::BIT, (${number} // ${rowsPerZone})::INTEGER) = 1`]),
  ];
  return {
    join: [
      `JOIN ${narrowSql(table, words ? ['word', 'bits'] : ['source'], ofStack)} AS m`,
      words ? `ON ${number} // ${rowsPerWord} = m.word` : `ON ${number} = m.source`,
      ...(where.length === 0 ? [] : [`WHERE ${where.join(' AND ')}`]),
    ].join(' '),
    position: words
      ? `(m.target::BIGINT + bit_count(${bits} & ((1::BIGINT << ${bit}) - 1)))::BIGINT`
      : 'm.target::BIGINT',
  };
}

/**
 * The narrow side of the join, which the engine is to hold while the wide one streams. It believes that a stack has no
 * rows, as of any positional join, and would hold that; so the narrow side is one too, and then the narrower is held.
 */
function narrowSql(table: string, columns: readonly string[], ofStack: boolean): string {
  const name = quoteIdentifier(table);
  if (!ofStack) return name;
  return `(SELECT ${columns.map((column) => `a.${column}`).join(', ')}, b.target FROM ${name} AS a POSITIONAL JOIN ${name} AS b)`;
}

/** As many rows as the engine works on at a time. */
const rowsPerZone = 2048;

/** @param numbers of rows, or of words of rows, of which so many make a zone */
function zonesOf(numbers: Uint32Array, perZone: number, least: number, most: number): string | null {
  const zones = new Uint8Array(Math.floor(most / rowsPerZone) + 1).fill(48);
  for (const number of numbers) zones[Math.floor(number / perZone)] = 49;
  const first = Math.floor(least / rowsPerZone);
  const empty = zones.subarray(first).reduce((sum, zone) => sum + 49 - zone, 0);
  // To look it up for every row costs about a twentieth of unpacking them all.
  return empty * 8 < zones.length - first ? null : Buffer.from(zones).toString('latin1');
}

const rowsPerWord = 32;
/** With fewer rows than this to a word, a line for each row is as small, and the engine can look for row groups by it. */
const rowsPerWordMin = 2;

interface Words {
  readonly words: Uint32Array;
  readonly bits: Uint32Array;
  readonly targets: Uint32Array;
}

/** The rows as words; null where they do not ascend, positions in a word do not follow each other, or words are near empty. */
function wordsOf(rows: Uint32Array, positions: Uint32Array): Words | null {
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    if (i > 0 && rows[i]! <= rows[i - 1]!) return null;
    if (i === 0 || rows[i]! >>> 5 !== rows[i - 1]! >>> 5) count += 1;
    else if (positions[i] !== positions[i - 1]! + 1) return null;
  }
  if (count * rowsPerWordMin > rows.length) return null;
  const words = new Uint32Array(count);
  const bits = new Uint32Array(count);
  const targets = new Uint32Array(count);
  let at = -1;
  for (let i = 0; i < rows.length; i++) {
    const word = rows[i]! >>> 5;
    if (at < 0 || words[at] !== word) {
      words[++at] = word;
      targets[at] = positions[i]!;
    }
    bits[at]! |= 1 << (rows[i]! & 31);
  }
  return { words, bits, targets };
}
