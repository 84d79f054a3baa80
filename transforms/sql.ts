/**
 * `holdout/sql`: a SELECT of the person's own over the rows and other datasets.
 * @module
 */
import { z } from 'zod';
import { HoldoutError } from '../src/errors.ts';
import { rowsTaken, runSqlStep } from '../src/lineage/run-sql.ts';
import { type Transform, datasetParam, defineTransform } from '../src/lineage/transform.ts';
import { whyNoRow } from '../src/engine/step-query.ts';
import { deterministic } from './parameters.ts';

const shownCharsMax = 100;
const timeoutDefaultS = 86_400;

/** The rows that a SELECT gives. */
export const sql: Transform = defineTransform({
  name: 'holdout/sql',
  version: 1,
  kind: 'user',
  summary: 'Takes the rows of your own SELECT (DuckDB) over `input` and other datasets.',
  example: 'sql: {query: "SELECT topic, count(*) AS n FROM input GROUP BY topic ORDER BY n DESC"}',
  params: z
    .strictObject({
      query: z
        .string()
        .min(1)
        .max(1_000_000)
        .describe(
          'One SELECT over the table "input" and those named by `with`. It reads no files, and nothing of time or chance. ' +
            'Rows come as ORDER BY says, ties by the columns from left to right. Without ORDER BY, a query that makes each ' +
            'row of one row keeps their order; the rows of any other are ordered by their digests. Rows are traced where ' +
            'the query is one SELECT over "input" alone: each to the row that it was made of or, with GROUP BY, aggregates ' +
            'or DISTINCT, to all rows of its group. Opaque to a trace is a query with a join, a subquery, WITH, a set ' +
            'operation (UNION and the like), a window, QUALIFY, UNNEST, COLUMNS(…), ROLLUP, CUBE, GROUPING SETS or DISTINCT ' +
            'ON; and one that aggregates and also has DISTINCT, COLLATE in a key, a star that hides which columns are the ' +
            'keys, or `deterministic: false`.',
        ),
      with: z
        .record(z.string().min(1), datasetParam)
        .default({})
        .describe('Other datasets, NAME or NAME@VERSION, each under the name that the query calls it by.'),
      timeout_s: z
        .int()
        .min(1)
        .max(2_000_000)
        .optional()
        .describe(`How long the query may take, its sample runs with it; without it ${timeoutDefaultS}.`),
      deterministic,
    })
    // Absent where it is not given: the ids of steps that were taken before it was there stay.
    .transform(({ timeout_s: seconds, ...rest }) => ({
      ...rest,
      ...(seconds === undefined ? {} : { timeout_s: seconds }),
    })),
  describe: ({ query, deterministic: pure }) => {
    const line = query.trim().replaceAll(/\s+/g, ' ');
    const shown = line.length <= shownCharsMax ? line : `${line.slice(0, shownCharsMax)}…`;
    return `${shown}${pure ? '' : ' (declared not deterministic)'}`;
  },
  datasets: ({ with: others }) =>
    tableNames(others).map((name) => ({ at: ['with', name], names: others[name]!, as: 'table' })),
  determinism: ({ deterministic: pure }) => (pure ? 'deterministic' : 'declared-not'),
  run(context, { query, with: others, deterministic: pure, timeout_s: seconds = timeoutDefaultS }) {
    const names = tableNames(others);
    const twice = names.find((name, index) => ['input', ...names.slice(0, index)].includes(name.toLowerCase()));
    if (twice !== undefined) throw new HoldoutError('USAGE', `with: two tables would be called "${twice}"`);
    return runSqlStep(context, { query, names, deterministic: pure, timeoutMs: seconds * 1000 });
  },
  async whyGone(context, { query, deterministic: pure }, { rows, input }) {
    if (input > 0) return rows.map(() => 'the SELECT makes no row of it');
    const taken = pure ? await rowsTaken(context, query, rows) : null;
    const says = (known: boolean | null): Promise<string> => whyNoRow(context.engine, query, known);
    const [yes, no, unknown] = [await says(true), await says(false), await says(null)];
    return rows.map((row) => (taken === null ? unknown : taken.has(row) ? yes : no));
  },
});

/** Sorted, as derivations keep them. */
function tableNames(others: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(others).toSorted();
}
