/**
 * Leak reports by the prefix of their id, or as files.
 * @module
 */
import { readFile } from 'node:fs/promises';
import type { Sha256Id } from '../schemas/ids.ts';
import { type LeakReport, leakReport } from '../schemas/leak-report.ts';
import { realisationRecord } from '../schemas/records.ts';
import { HoldoutError } from '../src/errors.ts';
import type { Store } from '../src/store/store.ts';
import { checkValue, problemText } from '../src/value-problems.ts';
import { pathExists } from './context.ts';

/** A report with its id. */
export interface IdentifiedReport {
  readonly id: Sha256Id;
  readonly report: LeakReport;
}

/**
 * The report that a person means: a file of that name, else a stored one whose id begins so. A file's report is kept in
 * the store, so that what refers to it can be followed.
 * @throws HoldoutError NOT_FOUND, INPUT_INVALID, USAGE where a prefix is ambiguous.
 */
export async function findReport(store: Store, text: string): Promise<IdentifiedReport> {
  if (await pathExists(text)) return readReportFile(store, text);
  const found = await storedReports(store, text);
  const [only] = found;
  if (only === undefined) {
    throw new HoldoutError('NOT_FOUND', `no leak report "${text}": neither a file nor the beginning of a report's id`, {
      hint: '`holdout log` lists the reports of the store',
    });
  }
  if (found.length > 1) {
    throw new HoldoutError('USAGE', `"${text}" is the beginning of ${found.length} reports' ids`, {
      hint: found.map((id) => id.slice(7, 23)).join(', '),
    });
  }
  return { id: only, report: await store.getRecord(only, leakReport) };
}

/** Ids of reports that begin so: journalled ones, else those that steps left as evidence. */
async function storedReports(store: Store, prefix: string): Promise<Sha256Id[]> {
  const hex = prefix.replace(/^sha256:/, '');
  if (hex === '') return [];
  const state = await store.journal();
  const journalled = [...new Set(state.reports.map(({ report }) => report))].filter((id) =>
    id.slice(7).startsWith(hex),
  );
  if (journalled.length > 0) return journalled;
  const left = new Set<Sha256Id>();
  for (const entry of state.entries) {
    if (entry.op !== 'version') continue;
    for (const { realisation } of [...(entry.through ?? []), entry]) {
      const { records = [] } = await store.getRecord(realisation, realisationRecord);
      for (const id of records) if (id.slice(7).startsWith(hex)) left.add(id);
    }
  }
  return [...left];
}

async function readReportFile(store: Store, file: string): Promise<IdentifiedReport> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new HoldoutError('INPUT_INVALID', 'not JSON', { file, cause });
  }
  const checked = checkValue(leakReport, value, []);
  if (checked.ok) return { id: await store.putRecord(checked.value), report: checked.value };
  const [wrong] = checked.problems.map((problem) => problemText(problem, 'the file'));
  throw new HoldoutError('INPUT_INVALID', `not a leak report that this version reads: ${wrong}`, {
    file,
    hint: '`holdout check … -o FILE` writes one (--json may add evidence, which is no part of it)',
  });
}

/** The newest stored report that covers all that `covers` asks for, or null. */
export async function newestReport(
  store: Store,
  covers: (report: LeakReport) => boolean,
): Promise<IdentifiedReport | null> {
  const { reports } = await store.journal();
  for (const { report: id } of reports.toReversed()) {
    const report = await store.getRecord(id, leakReport);
    if (covers(report)) return { id, report };
  }
  return null;
}
