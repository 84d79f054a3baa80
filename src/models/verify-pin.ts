/**
 * Whether a pin still holds: the model's files against their digests, the data against their ids.
 * @module
 */
import { join } from 'node:path';
import type { SetRoot, Sha256Id, TableId } from '../../schemas/ids.ts';
import type { PinRecord, PinnedDataset, PinnedEval } from '../../schemas/pin.ts';
import type { FieldRoles } from '../../schemas/records.ts';
import { readIfThere } from '../store/read-if-there.ts';
import { cardFileName, hashModelFiles } from './model-files.ts';
import { readCardEntry } from './model-card.ts';
import { versionName } from './pin-report.ts';

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

/** Where the data of a pin can be had from. */
export interface DataSources {
  /** Files given; null when none were given for this role. */
  readonly trains: readonly DataAtHand[] | null;
  readonly evals: readonly DataAtHand[] | null;
  /** A store's copy of a pinned table with its id computed anew, or why there is none. */
  readonly stored: (pinned: PinnedDataset | PinnedEval) => Promise<DataAtHand | string>;
}

/** One thing that was compared. */
export interface PinFinding {
  readonly what: 'file' | 'card' | 'train' | 'eval';
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
    ...(await compareCard(modelDir, pinned.id)),
  ];
  if (sources !== null) {
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
  const found = new Map((await hashModelFiles(modelDir, onProgress)).map((file) => [file.path, file]));
  const findings: PinFinding[] = pin.files.map((expected) => {
    const actual = found.get(expected.path);
    found.delete(expected.path);
    const base = { what: 'file', name: expected.path } as const;
    if (actual === undefined) return { ...base, state: 'differs', detail: 'missing' };
    if (actual.sha256 === expected.sha256) return { ...base, state: 'holds', detail: '' };
    return { ...base, state: 'differs', detail: `changed: ${actual.sha256}, pinned ${expected.sha256}` };
  });
  for (const path of found.keys()) findings.push({ what: 'file', name: path, state: 'differs', detail: 'unexpected' });
  return findings;
}

/** A card that carries another pin's id was copied from elsewhere, or the pin was replaced without it. */
async function compareCard(modelDir: string, id: Sha256Id): Promise<PinFinding[]> {
  const card = await readIfThere(join(modelDir, cardFileName));
  const entry = card === null ? null : readCardEntry(card);
  if (typeof entry !== 'object' || entry === null || !('pin' in entry)) return [];
  const base = { what: 'card', name: cardFileName } as const;
  if (entry.pin === id) return [{ ...base, state: 'holds', detail: '' }];
  return [{ ...base, state: 'differs', detail: `its holdout: entry names ${String(entry.pin)}, the pin is ${id}` }];
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
