/**
 * `holdout id`: the identity of files, without a store.
 * @module
 */
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { readFileSet } from '../inputs.ts';
import { remark, writeJson, writeLines } from '../output.ts';
import { parseFormat } from '../parse-options.ts';
import { readSchemaOption } from '../schema-text.ts';
import { plural } from '../text.ts';
import { schemaId } from '../../src/identity/ids.ts';

/** Prints table id, schema id, set root and row count of all files together. */
export const id: Action = async ({ context, operands, options }) => {
  const declared = options.text('schema');
  const table = await readFileSet(context, operands, {
    workDirectory: await context.scratch(),
    schema: declared === undefined ? undefined : await readSchemaOption(declared),
    infer: options.flag('infer'),
    format: parseFormat(options.text('format')),
  });
  const { rows } = table;
  const identity = { table: table.table, schema: schemaId(table.schema), setRoot: await table.setRoot(), rows };
  if (context.json) await writeJson(identity);
  else {
    for (const note of table.notes) remark(note);
    await writeLines([identity.table, plural(table.rows, 'row')]);
  }
  return exitStatus.ok;
};
