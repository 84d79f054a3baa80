/**
 * `holdout/sql`: a SELECT of the person's own over the rows and other datasets.
 * @module
 */
import { z } from 'zod';
import { HoldoutError } from '../src/errors.ts';
import { type Transform, datasetParam, defineTransform } from '../src/lineage/transform.ts';
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
            'Rows come as ORDER BY says, ties by the columns from left to right. Without ORDER BY, one plain SELECT over ' +
            '"input" (no join, subquery, window, aggregate, DISTINCT or UNNEST) keeps the order of its rows; the rows of any ' +
            'other query are ordered by their digests. Rows are traced to the rows of "input" and of the other tables that ' +
            'they were made of, through subqueries in FROM and WITH: a row of a join to one of each side, of a UNION to that ' +
            'of its side, of GROUP BY, an aggregate or DISTINCT to all rows of its group, any other to one. Only consulted, ' +
            'and no origin, are the other rows that a window looks at and what a subquery within an expression (IN, EXISTS, ' +
            'a value), SEMI JOIN or ANTI JOIN reads. For all but a plain SELECT, GROUP BY or DISTINCT over "input" the query ' +
            'is run a second time, with row numbers beside its columns; its rows stay those of the first run, and where the ' +
            'second gives others, the step is opaque. Opaque to a trace, which says why: a join of rows that were made of ' +
            'many (a window over the rows often says the same), UNNEST beside such rows, EXCEPT, INTERSECT, WITH RECURSIVE, ' +
            'PIVOT, UNPIVOT, VALUES, POSITIONAL JOIN, a NATURAL JOIN of a table with itself, COLUMNS(…) that chooses by a text ' +
            'or lambda, a whole table as a value, #1, and `deterministic: false` of all but a plain SELECT.',
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
  async run(context, { query, with: others, deterministic: pure, timeout_s: seconds = timeoutDefaultS }) {
    const names = tableNames(others);
    const twice = names.find((name, index) => ['input', ...names.slice(0, index)].includes(name.toLowerCase()));
    if (twice !== undefined) throw new HoldoutError('USAGE', `with: two tables would be called "${twice}"`);
    const { runSqlStep } = await import('../src/lineage/run-sql.ts');
    return runSqlStep(context, { query, names, deterministic: pure, timeoutMs: seconds * 1000 });
  },
  async whyGone(context, { query, deterministic: pure }, { rows, input }) {
    if (input > 0) return rows.map(() => 'the SELECT makes no row of it');
    const { whyNotTaken } = await import('../src/lineage/run-sql.ts');
    return whyNotTaken(context, { query, deterministic: pure }, rows);
  },
});

/** Sorted, as derivations keep them. */
function tableNames(others: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(others).toSorted();
}
