/**
 * `holdout export`: a version as a file, or its raw files byte for byte.
 * @module
 */
import { extname } from 'node:path';
import { HoldoutError } from '../../src/errors.ts';
import { exportRaw } from '../../src/snapshots/raw-files.ts';
import { type ExportFormat, exportTable } from '../../src/tables/export.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { versionEntry } from '../inputs.ts';
import { writeJson, writeLines } from '../output.ts';
import { entryName, openVersion } from '../snapshots.ts';
import { formatBytes, plural } from '../text.ts';

const formats: Readonly<Record<string, ExportFormat>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.json': 'json',
  '.csv': 'csv',
  '.parquet': 'parquet',
  '.arrow': 'arrow',
  '.feather': 'arrow',
};

/** Writes what was asked for; existing files stay unless --force. */
export const exportVersion: Action = async ({ context, operands, options }) => {
  const to = options.text('to');
  const raw = options.text('raw');
  if ((to === undefined) === (raw === undefined)) {
    throw new HoldoutError('USAGE', 'one of --to FILE and --raw DIR says what to write');
  }
  const format = to === undefined ? undefined : formats[extname(to).toLowerCase()];
  if (to !== undefined && format === undefined) {
    throw new HoldoutError('USAGE', `--to ${to}: the name must end in .jsonl, .json, .csv, .parquet or .arrow`);
  }
  if (to !== undefined && /[/\\]$/.test(to)) {
    throw new HoldoutError('USAGE', `--to ${to}: this names a folder; give the name of a file`);
  }
  const store = await context.openStore();
  const entry = await versionEntry(store, operands[0] ?? '');
  const workDirectory = await context.scratchBeside(store);
  const engine = await context.openEngine(store, { writeDirectories: [workDirectory] });
  const force = options.flag('force');
  if (to === undefined || format === undefined) {
    const paths = await exportRaw(store, engine, entry, raw ?? '.', { force });
    if (context.json) await writeJson({ version: entryName(entry), files: paths.map((path) => ({ path })) });
    else await writeLines(paths.map((path) => `Wrote ${path}, byte for byte`));
    return exitStatus.ok;
  }
  const { reader, snapshot } = await openVersion(context, store, engine, entry);
  const verify = options.flag('verify') ? { verify: snapshot.table } : {};
  const parquetCompat = options.flag('parquetCompat');
  const written = await exportTable(engine, reader, to, {
    format,
    force,
    parquetCompat,
    workDirectory,
    threads: context.threads,
    ...verify,
  });
  if (context.json) {
    const { path, bytes, rows, schemaPath } = written;
    const verified = options.flag('verify') ? snapshot.table : null;
    await writeJson({ version: entryName(entry), files: [{ path, bytes, rows }], schema: schemaPath, verified });
  } else {
    await writeLines([
      `Wrote ${to}: ${plural(written.rows, 'row')} of ${entryName(entry)}, ${formatBytes(written.bytes)}`,
      ...(written.schemaPath === null
        ? []
        : [`Its types are in ${to}.schema.json (for --schema when it is read again)`]),
      ...(options.flag('verify') ? [`Read back: the same table, ${snapshot.table}`] : []),
    ]);
  }
  return exitStatus.ok;
};
