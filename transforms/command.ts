/**
 * `holdout/command`: a command of the person's own over the rows, as a filter between pipes.
 * @module
 */
import { z } from 'zod';
import type { TableSchema } from '../schemas/table-schema.ts';
import { HoldoutError } from '../src/errors.ts';
import { commandText } from '../src/lineage/child-process.ts';
import { commandIdentity } from '../src/lineage/command-identity.ts';
import { parseEngineType } from '../src/tables/types/engine-type.ts';
import { storedType } from '../src/tables/types/stored-type.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { declaredFiles, deterministic } from './parameters.ts';

const carriedName = '_row';

/** Gives the rows to a command as JSON Lines and reads the rows that it prints. */
export const command: Transform = defineTransform({
  name: 'holdout/command',
  version: 1,
  kind: 'user',
  summary:
    'Gives the rows to your own command, one JSON object a line on standard input, and reads the rows that it prints. ' +
    'It is a filter over all rows, so no error is of one row: any exit code but 0 ends the step and makes nothing, ' +
    'whatever it printed. A row that it cannot take it may leave out.',
  example:
    "command: {run: [python3, clean.py], files: [clean.py], fingerprint: 'python3 -V && pip freeze', carry: true}",
  params: z.strictObject({
    run: z
      .union([z.string().min(1), z.array(z.string()).min(1)])
      // That nothing at all stands there is said already.
      .refine(
        (run) => run.length === 0 || (typeof run === 'string' ? run : run[0]!).trim() !== '',
        'it names no program',
      )
      .describe(
        'The command: a list of program and arguments, run as it is; or a line for the shell (/bin/sh, on Windows ' +
          'cmd.exe). It runs in the folder of holdout.yaml, in `transform` where you are.',
      ),
    fingerprint: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'A shell line that prints the versions that count, such as "python3 -V && pip freeze". Without it nothing ' +
          'vouches for the step, and its lineage says so.',
      ),
    files: declaredFiles.describe('Scripts and data that the command reads; they become part of the identity.'),
    carry: z
      .boolean()
      .default(false)
      .describe(
        `Gives each line a number "${carriedName}" that the command passes on in each line that it makes of it, so that ` +
          'rows can be traced. Lines may be dropped, repeated or in another order. Without it rows are kept in the order ' +
          'in which they are printed, and of which row each was made is not known.',
      ),
    schema: z
      .array(z.strictObject({ name: z.string().min(1), type: z.string().min(1) }))
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'Columns of the output with their types as in SQL, where they are declared: [{name: text, type: VARCHAR}].',
      ),
    timeout_s: z.int().min(1).max(2_000_000).default(86_400).describe('How long the command may take.'),
    deterministic,
  }),
  describe: ({ run, fingerprint, deterministic: pure }) =>
    [
      `rows through ${commandText(run)}`,
      ...(fingerprint === null ? [' (nothing vouches for it: no fingerprint)'] : []),
      ...(pure ? [] : [' (declared not deterministic)']),
    ].join(''),
  determinism: ({ deterministic: pure }) => (pure ? 'deterministic' : 'declared-not'),
  files: ({ files }) => files,
  code: ({ files, fingerprint }, { projectRoot }) => commandIdentity(projectRoot, { files, fingerprint }),
  async run(context, { run, files, carry, schema, timeout_s: seconds, deterministic: pure }) {
    const declared = schema === null ? null : declaredSchema(schema);
    const names = [...context.input.schema.columns, ...(declared?.columns ?? [])].map(({ name }) => name.toLowerCase());
    if (carry && names.includes(carriedName)) {
      throw new HoldoutError('USAGE', `the rows have a column "${carriedName}", which \`carry\` needs`, {
        hint: 'Rename that column first.',
      });
    }
    const { runCommandStep } = await import('../src/lineage/run-command.ts');
    return runCommandStep(context, {
      command: run,
      files,
      schema: declared,
      carry: carry ? carriedName : null,
      timeoutMs: seconds * 1000,
      deterministic: pure,
    });
  },
  whyGone: (_, { carry }, { rows }) =>
    Promise.resolve(
      rows.map(() =>
        carry ? `the command printed no line with its number (${carriedName})` : 'the command printed no line',
      ),
    ),
});

function declaredSchema(columns: readonly { readonly name: string; readonly type: string }[]): TableSchema {
  return {
    type: 'holdout/schema@1',
    columns: columns.map(({ name, type }) => ({ name, type: storedType(parseEngineType(type), name) })),
  };
}
