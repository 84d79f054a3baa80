/**
 * What a running step is given: its input and the other tables open, a folder of its own, engines that are closed after
 * it.
 * @module
 */
import { rm } from 'node:fs/promises';
import type { SetRoot, Sha256Id } from '../../schemas/ids.ts';
import type { TableRef } from '../../schemas/records.ts';
import { type TableSchema, tableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { openStoreEngine } from '../snapshots/store-engine.ts';
import { type JournalState, tableKey } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';
import type { Layout } from '../tables/layout.ts';
import { readLayout } from '../tables/stored-parts.ts';
import { type TableReader, openLayout } from '../tables/table-reader.ts';
import type { BoundTable } from './bind-step.ts';
import type { RowPlace } from './row-source.ts';
import type { StepContext } from './transform.ts';

/** Where a step runs. */
export interface ContextPlace {
  readonly store: Store;
  /** Able to read the store, and to read and write its temporary folder. */
  readonly engine: Engine;
  readonly threads: number;
  /** Where relative paths of parameters begin; without it the store's parent folder. */
  readonly folder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((rowsDone: number, rows: number) => void) | undefined;
  /** Whether the rows that come out are all that is asked for. */
  readonly withoutOrigins?: boolean | undefined;
}

/** A table in hand: how it is read, and where its rows stand. */
export interface TableInHand {
  readonly ref: TableRef;
  readonly reader: TableReader;
  readonly layout: Layout;
  /** The layout's file, where it has one. */
  readonly layoutId?: Sha256Id | undefined;
  /** Where a row came from; asked only for errors and by code that wants to know. */
  readonly sourceOf?: ((position: number) => Promise<RowPlace | null>) | undefined;
  /** The table's set root, where it is known: rows in another order have the same. */
  readonly setRoot?: SetRoot | undefined;
}

/** Another table of a step, open. */
export interface OpenOther {
  readonly reader: TableReader;
  readonly layout: Layout;
  readonly layoutId: Sha256Id | undefined;
}

/**
 * Opens what a step needs, lets `work` use it, and closes it.
 * @throws HoldoutError as `work` and the store do
 */
export async function withStepContext<T>(
  place: ContextPlace,
  others: readonly BoundTable[],
  input: TableInHand,
  work: (context: Omit<StepContext, 'seed'>, opened: readonly OpenOther[]) => Promise<T>,
): Promise<T> {
  const { store, engine } = place;
  const state = await store.journal();
  const scratch = await store.tempDirectory();
  const opened: OpenOther[] = [];
  const engines: Engine[] = [];
  try {
    for (const other of others) opened.push(await openOther(place, state, other));
    const { sourceOf = () => Promise.resolve(null) } = input;
    const context: Omit<StepContext, 'seed'> = {
      input: input.reader,
      engine,
      others: others.map((other, index) => ({ ...other, reader: opened[index]!.reader })),
      record: (record, schema) => store.getRecord(record, schema),
      ownEngine: async (threads) => {
        const own = await openStoreEngine(store, { threads, signal: place.signal });
        engines.push(own);
        const readers: TableReader[] = [];
        for (const { reader, layout } of opened) readers.push(await openLayout(store, own, reader.schema, layout));
        const { reader, layout } = input;
        return { engine: own, input: await openLayout(store, own, reader.schema, layout), others: readers };
      },
      withoutOrigins: place.withoutOrigins,
      scratch,
      threads: place.threads,
      projectRoot: place.folder ?? store.projectRoot,
      signal: place.signal,
      onProgress: (done) => place.onProgress?.(done, input.reader.rows),
      sourceOf,
    };
    return await work(context, opened);
  } finally {
    for (const { reader } of opened) await reader.close();
    for (const own of engines) await own.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The layout of a table. @throws HoldoutError `STORE_CORRUPT` when the store has lost it. */
export function layoutOfInput(
  state: JournalState,
  { ref, layout }: { readonly ref: TableRef; readonly layout?: Sha256Id },
): Sha256Id {
  const known = layout ?? state.layouts.get(tableKey(ref));
  if (known !== undefined) return known;
  throw new HoldoutError('STORE_CORRUPT', `the store names no layout for table ${ref.table}`, {
    hint: '`holdout verify` says what is damaged',
  });
}

async function openOther(
  { store, engine }: Pick<ContextPlace, 'store' | 'engine'>,
  state: JournalState,
  { ref, layout: inHand }: BoundTable,
): Promise<OpenOther> {
  const layoutId = inHand === undefined ? layoutOfInput(state, { ref }) : undefined;
  const layout = inHand ?? (await readLayout(store, layoutId!));
  const schema: TableSchema = await store.getRecord(ref.schema, tableSchema);
  return { reader: await openLayout(store, engine, schema, layout), layout, layoutId };
}
