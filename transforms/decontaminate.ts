/**
 * `holdout/decontaminate`: the leak check of the input against eval sets, and the input without what leaks. The report
 * of the check is kept as evidence of the step.
 * @module
 */
import { z } from 'zod';
import { type LeakReport, hitClass, leakReport } from '../schemas/leak-report.ts';
import { type FieldRoles, fieldRoles } from '../schemas/records.ts';
import { HoldoutError } from '../src/errors.ts';
import { digestBytesOf, schemaId } from '../src/identity/ids.ts';
import { oddEvalNotes } from '../src/leakage/odd-evals.ts';
import { checkFields, recogniseFields } from '../src/leakage/fields.ts';
import type { NamedEval } from '../src/leakage/types.ts';
import { identifyDigests } from '../src/lineage/select-rows.ts';
import {
  type DatasetParam,
  type OtherTable,
  type StepContext,
  type Transform,
  datasetParam,
  defineTransform,
} from '../src/lineage/transform.ts';
import { DIGEST_BYTES } from '../src/merkle/table-tree.ts';
import { itemsRootOf } from '../src/tables/items-root.ts';
import { selectByReason } from './dropped-rows.ts';
import { datasetLabel, listed } from './parameters.ts';
import { whyHit } from './why-hit.ts';

const classes = hitClass.options;

/** Removes the rows in which items of eval sets stand. */
export const decontaminate: Transform = defineTransform({
  name: 'holdout/decontaminate',
  version: 1,
  kind: 'selecting',
  summary: 'Checks the rows against eval sets and leaves out those that leak; the report of the check is kept.',
  example: 'decontaminate: {against: [gsm8k-test, mmlu@2]}',
  params: z
    .strictObject({
      against: z.array(datasetParam).min(1).describe('Eval sets, NAME or NAME@VERSION, with their key fields.'),
      hits: z
        .enum(['leak', 'all'])
        .default('leak')
        .describe('leak: rows of hits that count as leaks go. all: rows of suspects and warnings go, too.'),
      fields: fieldRoles
        .optional()
        .describe(
          'Columns by role, {question: [q], answer: [a]}, in place of those that the eval sets were added with.',
        ),
    })
    .refine(({ against }) => new Set(against.map(datasetLabel)).size === against.length, {
      path: ['against'],
      message: 'names a set twice',
    })
    .transform(({ against, hits, fields }) => ({ against, hits, ...(fields === undefined ? {} : { fields }) })),
  describe: ({ against, hits }) =>
    `leave out rows ${hits === 'leak' ? 'that leak' : 'with any hit of'} ${listed(against.map(datasetLabel))}`,
  datasets: ({ against }) => against.map((names, index) => ({ at: ['against', index], names, as: 'snapshot' })),
  async run(context, { against, hits, fields }) {
    const { input, engine, others } = context;
    const digests = await input.digests();
    const { table, setRoot } = identifyDigests(digests);
    const evals: NamedEval[] = [];
    for (const [index, other] of others.entries()) {
      evals.push(await openEval(context, other, against[index]!, fields));
    }
    // Loaded here, for every command that knows the steps would load the whole check else.
    const { checkLeaks } = await import('../src/leakage/check-leaks.ts');
    const { report } = await checkLeaks({
      engine,
      trains: [
        { name: 'input', table, schemaId: schemaId(input.schema), setRoot, reader: input, sourceOf: () => null },
      ],
      evals,
      threads: context.threads,
      onProgress: ({ rows }) => context.onProgress?.(Math.min(rows, input.rows)),
    });
    if (context.signal?.aborted === true) throw new HoldoutError('INTERRUPTED', 'interrupted');
    const reasons = reasonsOf(report, digests, hits);
    const selected = selectByReason(classes, reasons);
    const items = new Set(
      report.hits.filter((hit) => hits === 'all' || hit.leak).map((hit) => `${hit.eval} ${hit.item.row}`),
    );
    const kept = report.hits.filter((hit) => reasons[hit.row.row] === 0).map((hit) => hit.row.row);
    return {
      ...selected,
      counts: {
        ...selected.counts,
        itemsHit: items.size,
        rowsWithHitsKept: new Set(kept).size,
        itemsUncheckable: report.evals.reduce((sum, set) => sum + set.uncheckable, 0),
        rowsUnreadable: report.trains.reduce((sum, set) => sum + set.unreadable, 0),
      },
      records: [report],
      notes: oddEvalNotes(
        [{ name: 'the input', table }],
        others.map(({ ref, snapshot }, index) => {
          return { name: datasetLabel(against[index]!), table: ref.table, role: snapshot?.role ?? null };
        }),
      ),
    };
  },
  async whyGone({ input, record }, { against, hits }, { rows, realisation }) {
    const [kept] = realisation.records ?? [];
    if (kept === undefined) return rows.map(() => null);
    const nameOf = (index: number): string => datasetLabel(against[index]!);
    return whyHit(await record(kept, leakReport), await input.digests(), rows, { hits, nameOf });
  },
});

/** For each row 0 where it stays, else k where the strongest hit that it goes for is of the kth class. */
function reasonsOf(report: LeakReport, digests: Uint8Array, hits: 'leak' | 'all'): Uint8Array {
  const bytes = Buffer.from(digests.buffer, digests.byteOffset, digests.length);
  const strongest = new Map<string, number>();
  for (const hit of report.hits) {
    if (hits === 'leak' && !hit.leak) continue;
    const key = Buffer.from(digestBytesOf(hit.row.digest)).toString('latin1');
    const reason = classes.indexOf(hit.class) + 1;
    strongest.set(key, Math.min(reason, strongest.get(key) ?? reason));
  }
  const reasons = new Uint8Array(digests.length / DIGEST_BYTES);
  if (strongest.size === 0) return reasons;
  for (let row = 0; row < reasons.length; row++) {
    const key = bytes.toString('latin1', row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES);
    reasons[row] = strongest.get(key) ?? 0;
  }
  return reasons;
}

async function openEval(
  { engine }: StepContext,
  { reader, ref, snapshot }: OtherTable,
  named: DatasetParam,
  given: FieldRoles | undefined,
): Promise<NamedEval> {
  const name = datasetLabel(named);
  const known = given ?? snapshot?.fields ?? {};
  const fields = known.question === undefined ? recogniseFields(reader.schema) : known;
  checkFields(reader.schema, fields, name);
  const itemsRoot = await itemsRootOf(engine, reader, fields);
  if (itemsRoot === null) throw new TypeError('checked fields name columns');
  return { name, table: ref.table, schemaId: ref.schema, reader, fields, itemsRoot, sourceOf: () => null };
}
