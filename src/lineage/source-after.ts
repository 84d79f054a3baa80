/**
 * Where rows came from, told through a step of a chain: one that was just taken, or that an earlier run had taken.
 * @module
 */
import { derivationRecord, realisationRecord } from '../../schemas/records.ts';
import { tableKey } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';
import type { TableReader } from '../tables/table-reader.ts';
import { originsOf } from './row-origins.ts';
import type { StepInput, StepResult } from './run-step.ts';

/** A step of a chain: its input, what it came to, and that as a table. */
export interface TakenStep {
  readonly input: StepInput;
  readonly result: StepResult;
  readonly reader: TableReader;
}

/** The places of the rows that came out; undefined where those of the input are not known either. */
export function sourceAfter(store: Store, taken: TakenStep): StepInput['sourceOf'] {
  const { input, result } = taken;
  const { sourceOf } = input;
  if (sourceOf === undefined || result.origins === 'same') return sourceOf;
  let known: ReturnType<typeof rowsOf> | undefined;
  return async (position) => {
    known ??= rowsOf(store, taken);
    const rows = await known;
    if (rows === 'same') return sourceOf(position);
    const before = rows?.[position];
    return before === undefined || before >= input.reader.rows ? null : sourceOf(before);
  };
}

/** Of which row of the input each row was made; null where nobody can say. A row made of many has no one place. */
async function rowsOf(store: Store, { input, result, reader }: TakenStep): Promise<Uint32Array | 'same' | null> {
  if (result.origins !== null) return result.origins instanceof Uint32Array ? result.origins : null;
  const own = tableKey(result.output);
  const step = {
    derivation: await store.getRecord(result.derivation, derivationRecord),
    realisation: await store.getRecord(result.realisation, realisationRecord),
    inputs: [input],
  };
  // The journal may not name these tables yet.
  const origins = await originsOf(
    { store, digests: (ref) => (tableKey(ref) === own ? reader : input.reader).digests() },
    step,
  );
  if (origins.kind !== 'rows') return origins.kind === 'same' ? 'same' : null;
  return origins.of instanceof Uint32Array ? origins.of : null;
}
