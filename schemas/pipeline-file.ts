/**
 * `holdout.yaml`: datasets from files, datasets derived by steps, eval sets, and checks. docs/PIPELINE.md describes it;
 * docs/holdout.schema.json is made from here, so that editors complete and check it.
 * @module
 */
import { z } from 'zod';
import { datasetName } from './ids.ts';
import { role } from './records.ts';

const description = z.string().optional().describe('Free text for people. It counts for nothing.');

const oneOrMore = (what: string, item: z.ZodString): z.ZodUnion<readonly [z.ZodString, z.ZodArray<z.ZodString>]> =>
  z.union([item, z.array(item).min(1)], { error: `expected ${what}, or a list of them` });

const text = z.string().min(1);

const columnsOfRole = oneOrMore('the name of a column', text).optional();

const fields = z
  .strictObject({
    question: columnsOfRole.describe('The text that must not stand in training data.'),
    passage: columnsOfRole.describe('A text that the question is about.'),
    choices: columnsOfRole.describe('The options that the question gives.'),
    answer: columnsOfRole.describe('The answer.'),
    id: columnsOfRole.describe('What names an item.'),
  })
  .describe('Which columns play which role. Without it they are recognised by their names, for eval sets only.');

const files = oneOrMore('a file, a folder or a pattern', text).describe(
  'Files, folders or patterns such as data/*.jsonl, relative to the folder of this file. Together they are one table, in this order.',
);

/** What `files` come with: the options of `holdout add`. */
const reading = {
  description,
  files,
  fields: fields.optional(),
  format: z
    .enum(['jsonl', 'json', 'csv', 'tsv', 'parquet', 'arrow-file', 'arrow-stream'])
    .optional()
    .describe('Format of the files, where their names and content should not decide.'),
  schema: text
    .optional()
    .describe("Columns and types, such as 'id BIGINT, tags VARCHAR[]', or a file that holds them. Needed by CSV only."),
  infer: z.boolean().optional().describe('Types of CSV columns are proposed from the values.'),
  raw: z.boolean().optional().describe('Keeps the exact bytes of files that are no JSONL, too.'),
};

/** A dataset read from files. */
export const fileDataset = z
  .strictObject({
    ...reading,
    role: role.optional().describe('What the dataset is for; what is derived from it inherits it. Default: none.'),
  })
  .describe('A dataset read from files.');

/** A step: its name alone, or its name over its parameters, beside `name` and `description`. */
const pipelineStep = z
  .union([text, z.record(z.string(), z.json())], {
    error: 'expected a step: its name, or its name over its parameters',
  })
  .describe('A step: its name, or its name over its parameters.');

/** Keys that may stand beside the step's own. */
export const stepNotes = z.strictObject({
  name: text.optional().describe('What the step is called in messages and in holdout.lock.'),
  description,
});

/** A dataset made of others. */
export const derivedDataset = z
  .strictObject({
    description,
    from: oneOrMore('the name of a dataset', text).describe(
      'What the steps begin with: a dataset of this file, or of the store (NAME or NAME@VERSION). Several are put end to end.',
    ),
    steps: z.array(pipelineStep).optional().describe('The steps, in their order. `holdout transforms` lists them.'),
  })
  .describe('A dataset made of others by steps.');

/** An eval set read from files. */
export const evalSet = z.strictObject(reading).describe('An eval set: what must not stand in training data.');

/** A check of training sets against eval sets. */
export const pipelineCheck = z
  .strictObject({
    description,
    train: oneOrMore('the name of a dataset', text).describe('Training sets: names of this file or of the store.'),
    against: oneOrMore('the name of an eval set', text).describe('Eval sets: names of this file or of the store.'),
    fail_on: z.enum(['leak', 'suspect']).default('leak').describe('suspect: suspects fail the run, too.'),
    'allow-incomplete': z
      .boolean()
      .default(false)
      .describe('Whether a check that could not look for everything, and found no leak, passes.'),
  })
  .describe('`holdout check` on the versions; its report is kept in the store.');

/** The whole file. */
export const pipelineFile = z
  .strictObject({
    version: z.literal(1, { error: 'must be 1, the version of this format' }).describe('Version of this format: 1.'),
    description,
    datasets: z
      .record(datasetName, z.union([fileDataset, derivedDataset]))
      .optional()
      .describe('Datasets by name.'),
    evals: z.record(datasetName, evalSet).optional().describe('Eval sets by name.'),
    checks: z.array(pipelineCheck).optional().describe('Checks, run after the datasets that they name.'),
  })
  .describe('A Holdout pipeline: `holdout run` brings it up to date.');
