/**
 * Whether a pin still holds: the model's files against their digests, the data against their ids.
 * @module
 */
import { isDeepStrictEqual } from 'node:util';
import type { SetRoot, Sha256Id, TableId } from '../../schemas/ids.ts';
import type { PinRecord, PinnedDataset, PinnedEval } from '../../schemas/pin.ts';
import type { FieldRoles } from '../../schemas/records.ts';
import { cardFileName, pinFileName, surveyModelFiles } from './model-files.ts';
import { cardDifferences } from './pin-card.ts';
import { versionName } from './pin-report.ts';
import { valueDifferences } from './value-difference.ts';

/** Identity of data at hand, read from files or from a store. */
export interface DataAtHand {
  /** What the person calls it. */
  readonly name: string;
  readonly table: TableId;
  readonly setRoot: SetRoot;
  readonly rows: number;
  /** Root of the items under these fields; null where the data lack them. */
  itemsRoot(fields: FieldRoles): Promise<SetRoot | null>;
}

/** What a store knows of pins. */
export interface KnownPins {
  /** Its pins, newest last. */
  readonly pins: readonly { readonly id: Sha256Id; readonly pin: PinRecord }[];
  /** Snapshots of its versions. */
  readonly snapshots: ReadonlySet<Sha256Id>;
}

/** Where the data of a pin can be had from. */
export interface DataSources {
  /** Files given; null when none were given for this role. */
  readonly trains: readonly DataAtHand[] | null;
  readonly evals: readonly DataAtHand[] | null;
  /** A store's copy of a pinned table with its id computed anew, or why there is none. */
  readonly stored: (pinned: PinnedDataset | PinnedEval) => Promise<DataAtHand | string>;
  /** The pins of a store at hand. */
  readonly known?: KnownPins | undefined;
}

/** One thing that was compared. */
export interface PinFinding {
  readonly what: 'file' | 'card' | 'pin' | 'train' | 'eval';
  readonly name: string;
  readonly state: 'holds' | 'differs' | 'cannot-tell';
  /** Said for what does not hold, and where a match needs a word. */
  readonly detail: string;
}

/** Outcome of a verification, the worst finding first to decide. */
export interface PinVerification {
  readonly pin: Sha256Id;
  readonly state: 'holds' | 'differs' | 'cannot-tell';
  readonly findings: readonly PinFinding[];
}

/** Compares a model's folder and the data at hand with its pin. */
export async function verifyPin(
  modelDir: string,
  pinned: { readonly pin: PinRecord; readonly id: Sha256Id },
  sources: DataSources | null,
  onProgress?: (bytes: number) => void,
): Promise<PinVerification> {
  const findings = [
    ...(await compareFiles(modelDir, pinned.pin, onProgress)),
    ...(await compareCard(modelDir, pinned)),
  ];
  if (sources !== null) {
    if (sources.known !== undefined) findings.push(...compareRecord(pinned, sources.known, findings));
    for (const train of pinned.pin.train) findings.push(await compareTrain(train, sources));
    for (const each of pinned.pin.eval) findings.push(await compareEval(each, sources));
  }
  const has = (state: PinFinding['state']): boolean => findings.some((finding) => finding.state === state);
  return { pin: pinned.id, state: has('differs') ? 'differs' : has('cannot-tell') ? 'cannot-tell' : 'holds', findings };
}

async function compareFiles(
  modelDir: string,
  pin: PinRecord,
  onProgress?: (bytes: number) => void,
): Promise<PinFinding[]> {
  const { files, refused } = await surveyModelFiles(modelDir, onProgress);
  const found = new Map(files.map((file) => [file.path, file]));
  const faults = new Map(refused.map(({ path, error }) => [path, error.message]));
  const findings: PinFinding[] = pin.files.map((expected) => {
    const actual = found.get(expected.path);
    const fault = faults.get(expected.path);
    found.delete(expected.path);
    faults.delete(expected.path);
    const base = { what: 'file', name: expected.path } as const;
    if (fault !== undefined) return { ...base, state: 'differs', detail: `now ${fault}` };
    if (actual === undefined) return { ...base, state: 'differs', detail: 'missing' };
    if (actual.sha256 === expected.sha256) return { ...base, state: 'holds', detail: '' };
    return { ...base, state: 'differs', detail: `changed: ${actual.sha256}, pinned ${expected.sha256}` };
  });
  for (const path of found.keys()) findings.push({ what: 'file', name: path, state: 'differs', detail: 'unexpected' });
  for (const [name, detail] of faults) findings.push({ what: 'file', name, state: 'differs', detail });
  return findings;
}

async function compareCard(
  modelDir: string,
  { pin, id }: { readonly pin: PinRecord; readonly id: Sha256Id },
): Promise<PinFinding[]> {
  const detail = await cardDifferences(modelDir, pin, id);
  if (detail === null) return [];
  return [{ what: 'card', name: cardFileName, state: detail === '' ? 'holds' : 'differs', detail }];
}

/**
 * The pin's file against what a store at hand has recorded. A store that has nothing to do with the model says nothing;
 * one that holds its data without the pin may be another person's copy.
 */
function compareRecord(
  { pin, id }: { readonly pin: PinRecord; readonly id: Sha256Id },
  { pins, snapshots }: KnownPins,
  findings: readonly PinFinding[],
): PinFinding[] {
  const base = { what: 'pin', name: pinFileName } as const;
  if (pins.some((known) => known.id === id)) return [{ ...base, state: 'holds', detail: '' }];
  const named = findings.find(({ what }) => what === 'card')?.detail ?? '';
  const recorded =
    pins.findLast((known) => named.includes(known.id)) ??
    pins.findLast((known) => isDeepStrictEqual(known.pin.files, pin.files));
  if (recorded !== undefined) {
    const differences = valueDifferences(pin, recorded.pin, 'recorded').join('; ');
    return [{ ...base, state: 'differs', detail: `the store has recorded ${recorded.id}: ${differences}` }];
  }
  const madeHere = [...pin.train, ...pin.eval].some(({ snapshot }) => snapshot !== null && snapshots.has(snapshot));
  if (!madeHere) return [];
  return [{ ...base, state: 'cannot-tell', detail: `the store here holds its data but no pin ${id}` }];
}

async function compareTrain(pinned: PinnedDataset, sources: DataSources): Promise<PinFinding> {
  const base = { what: 'train', name: versionName(pinned) } as const;
  const at = await findData(pinned, sources.trains, sources);
  if (typeof at === 'string') return { ...base, state: 'cannot-tell', detail: at };
  const same = at.find((data) => data.table === pinned.table);
  if (same !== undefined) return { ...base, state: 'holds', detail: `${pinned.table} (${same.name})` };
  const shuffled = at.find((data) => data.setRoot === pinned.setRoot);
  if (shuffled !== undefined) {
    return { ...base, state: 'differs', detail: `${shuffled.name} holds the same rows in another order` };
  }
  return { ...base, state: 'differs', detail: otherTables(pinned, at) };
}

async function compareEval(pinned: PinnedEval, sources: DataSources): Promise<PinFinding> {
  const base = { what: 'eval', name: versionName(pinned) } as const;
  const at = await findData(pinned, sources.evals, sources);
  if (typeof at === 'string') return { ...base, state: 'cannot-tell', detail: at };
  for (const data of at) {
    if ((await data.itemsRoot(pinned.fields)) !== pinned.itemsRoot) continue;
    if (data.table === pinned.table) return { ...base, state: 'holds', detail: `${pinned.table} (${data.name})` };
    const detail = `${data.name} holds the pinned items, but other columns or another order: ${data.table}, pinned ${pinned.table}`;
    return { ...base, state: 'differs', detail };
  }
  return { ...base, state: 'differs', detail: otherTables(pinned, at) };
}

async function findData(
  pinned: PinnedDataset,
  given: readonly DataAtHand[] | null,
  sources: DataSources,
): Promise<readonly DataAtHand[] | string> {
  if (given !== null) return given;
  const stored = await sources.stored(pinned);
  return typeof stored === 'string' ? stored : [stored];
}

function otherTables(pinned: PinnedDataset, at: readonly DataAtHand[]): string {
  const given = at.map((data) => `${data.name} is ${data.table} (${data.rows} rows)`);
  return `pinned ${pinned.table} (${pinned.rows} rows); ${given.join('; ')}`;
}
