/**
 * `holdout add`: snapshots files as a dataset, or as its next version.
 * @module
 */
import { blobRecord } from '../../schemas/records.ts';
import { checkFields, recogniseFields } from '../../src/leakage/fields.ts';
import { type AddResult, addDataset } from '../../src/snapshots/add.ts';
import type { Store } from '../../src/store/store.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { explainDirectory } from '../inputs.ts';
import { remark, writeJson, writeLines } from '../output.ts';
import { parseFields, parseFormat, parseRole } from '../parse-options.ts';
import { startProgress } from '../progress.ts';
import { readSchemaOption } from '../schema-text.ts';
import { entryName } from '../snapshots.ts';
import { formatBytes, plural } from '../text.ts';

/** Reads, stores and journals. */
export const add: Action = async ({ context, operands, options }) => {
  const [name = '', ...files] = operands;
  const declared = options.text('schema');
  const asked = {
    role: parseRole(options.text('role')),
    fields: parseFields(options.list('fields')),
    schema: declared === undefined ? undefined : await readSchemaOption(declared),
    infer: options.flag('infer'),
    format: parseFormat(options.text('format')),
    raw: options.flag('raw'),
  };
  const store = await context.openStore();
  for (const file of files) await explainDirectory(context, file);
  const progress = startProgress(`adding ${name}`);
  const result = await addDataset(store, name, files, asked, {
    now: context.now(),
    holdoutVersion: context.holdoutVersion,
    threads: context.threads,
    recogniseFields,
    checkFields: (schema, fields) => checkFields(schema, fields, name),
    standardInput: process.stdin,
    onProgress: (done, total) => progress.update(done, total),
    signal: context.signal,
  }).finally(() => progress.end());
  for (const note of result.notes) remark(note);
  if (result.created && declared === undefined && !asked.infer && files.some(isCsvName)) {
    remark('columns are text; --infer proposes types, --schema declares them');
  }
  if (context.json) {
    const { created: _, read: __, moved: ___, notes: ____, ...shown } = result;
    await writeJson(shown);
  } else
    await writeLines([...resultLines(result), ...typeLines(result, asked.infer), ...(await keptLines(store, result))]);
  return exitStatus.ok;
};

/** Where types were asked for and the table stays the same, that no type was changed. */
function typeLines({ created }: AddResult, infer: boolean): string[] {
  return infer && !created ? ['  --infer changed no type: the table is the same'] : [];
}

function isCsvName(file: string): boolean {
  return /\.[ct]sv(?:\.(?:gz|gzip|zst|zstd))?$/i.test(file);
}

/** Whether the files themselves can be had back, or their rows only. */
async function keptLines(store: Store, { name, version, created }: AddResult): Promise<string[]> {
  if (!created) return [];
  const entry = (await store.journal()).names.get(name)?.[version - 1];
  let rowsOnly = 0;
  for (const { blob } of entry?.sources ?? []) {
    if ((await store.getRecord(blob, blobRecord)).content.kind === 'digest') rowsOnly += 1;
  }
  if (rowsOnly === 0) return ['  kept: rows and bytes of every file (export --raw gives the bytes back)'];
  return [`  kept: rows; of ${plural(rowsOnly, 'file')} the digest, not the bytes (--raw keeps them too)`];
}

function resultLines(result: AddResult): string[] {
  const { created, table, rows, itemsRoot, logicalBytes, storedBytes, newBytes, read, moved } = result;
  if (!created) {
    const how = read || moved ? 'holds this content already' : 'is up to date: no file has changed';
    return [`${entryName(result)} ${how}; no new version`, `  table ${table}`];
  }
  return [
    `${entryName(result)}: ${plural(rows, 'row')}`,
    `  table ${table}`,
    ...(itemsRoot === null ? [] : [`  items ${itemsRoot}`]),
    `  ${formatBytes(logicalBytes)} of files, stored in ${formatBytes(storedBytes)}, ${formatBytes(newBytes)} of them new`,
  ];
}
