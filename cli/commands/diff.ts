/**
 * `holdout diff`: rows added, removed and changed between two versions or files.
 * @module
 */
import type { FieldRoles } from '../../schemas/records.ts';
import { type TableDiff, diffTables } from '../../src/snapshots/diff.ts';
import { openReadTable } from '../../src/tables/read-table-reader.ts';
import type { ReadTable } from '../../src/tables/read/read-table-types.ts';
import type { TableReader } from '../../src/tables/table-reader.ts';
import type { Action } from '../command-spec.ts';
import type { CliContext } from '../context.ts';
import { exitStatus } from '../exit-codes.ts';
import { type NamedInput, nameInput, readFileSet } from '../inputs.ts';
import { styled, writeJson, writeLines } from '../output.ts';
import { parseCount } from '../parse-options.ts';
import { formatType } from '../../src/tables/types/type-text.ts';
import { entryName, openVersion } from '../snapshots.ts';
import { clip, formatCount, plural, printable } from '../text.ts';

const rowsShown = 20;

/** Compares two tables; `--stat` says how many rows differ, the rest shows them. */
export const diff: Action = async ({ context, operands, options }) => {
  const [a = '', b = ''] = operands;
  const key = options.list('key').flatMap((columns) => columns.split(','));
  const rowsMax = parseCount('--limit', options.text('limit')) ?? rowsShown;
  const store = await context.findStore();
  const workDirectory = await context.scratchBeside(store);
  const inputs = [await nameInput(context, store, a), await nameInput(context, store, b)] as const;
  const tables = [
    await readIfFile(context, inputs[0], workDirectory),
    await readIfFile(context, inputs[1], workDirectory),
  ];
  const readPaths = tables.flatMap((table) => table?.bodies.map(({ path }) => path) ?? []);
  const engine = await context.openEngine(store, { readPaths, writeDirectories: [workDirectory] });
  const open = async (input: NamedInput, table: ReadTable | null | undefined): Promise<OpenSide> => {
    if (table)
      return { name: input.argument, fields: {}, reader: await openReadTable(engine, table, { workDirectory }) };
    if (input.kind === 'files') throw new TypeError(`${input.argument} was not read`);
    const { reader, snapshot, entry } = await openVersion(context, input.store, engine, input.entry);
    return { name: entryName(entry), fields: snapshot.fields, reader };
  };
  const [before, after] = [await open(inputs[0], tables[0]), await open(inputs[1], tables[1])];
  const stat = options.flag('stat');
  const difference = await diffTables(engine, before.reader, after.reader, {
    key: key.length === 0 ? undefined : key,
    fields: after.fields.id === undefined ? before.fields : after.fields,
    rowsMax: stat ? 0 : rowsMax,
    workDirectory,
  });
  if (context.json) await writeJson({ a: before.name, b: after.name, ...difference });
  else await writeLines([...headLines(before.name, after.name, difference), ...(stat ? [] : rowLines(difference))]);
  const differs = !difference.same || difference.reordered;
  return options.flag('exitCode') && differs ? exitStatus.found : exitStatus.ok;
};

interface OpenSide {
  readonly name: string;
  readonly fields: FieldRoles;
  readonly reader: TableReader;
}

async function readIfFile(context: CliContext, input: NamedInput, workDirectory: string): Promise<ReadTable | null> {
  return input.kind === 'files' ? readFileSet(context, [input.argument], { workDirectory }) : null;
}

function headLines(a: string, b: string, difference: TableDiff): string[] {
  const { same, sameValues, sameSchema, reordered, schema, counts, key } = difference;
  const lines: string[] = [];
  if (same && !reordered) lines.push(`${a} and ${b} are the same: ${plural(counts.unchanged, 'row')}`);
  else if (sameValues && sameSchema) lines.push(`${a} and ${b} hold the same rows in another order`);
  else if (sameValues) lines.push(`${a} and ${b} hold the same values under another schema`);
  else {
    const changed = key.length === 0 ? '' : `, ${formatCount(counts.changed)} changed (by ${key.join(', ')})`;
    const unchanged = `${formatCount(counts.unchanged)} unchanged${reordered ? ', some in another order' : ''}`;
    lines.push(
      `${a} → ${b}: ${plural(counts.added, 'row')} added, ${formatCount(counts.removed)} removed${changed}, ${unchanged}`,
    );
  }
  for (const { name, before, after } of schema) {
    lines.push(
      `  column ${printable(name)}: ${before === null ? 'not there' : formatType(before)} → ${after === null ? 'not there' : formatType(after)}`,
    );
  }
  return lines;
}

function rowLines({ added, removed, changed, counts }: TableDiff): string[] {
  const width = (process.stdout.isTTY ? process.stdout.columns : 0) || 2000;
  const lines = [
    ...removed.map(({ text }) => styled('red', `- ${clip(text, width - 2)}`)),
    ...added.map(({ text }) => styled('green', `+ ${clip(text, width - 2)}`)),
    ...changed.flatMap(({ key, fields }) => [
      `~ ${clip(key, width - 2)}`,
      ...fields.flatMap(({ name, before, after }) => [
        styled('red', `    - ${clip(`${name}: ${before ?? 'null'}`, width - 6)}`),
        styled('green', `    + ${clip(`${name}: ${after ?? 'null'}`, width - 6)}`),
      ]),
    ]),
  ];
  const hidden = counts.added + counts.removed + counts.changed - added.length - removed.length - changed.length;
  if (hidden > 0) lines.push(`… and ${plural(hidden, 'more row')} (--limit N shows more)`);
  return lines;
}
