/**
 * `holdout pin --verify MODEL_DIR`: does the pin still hold? With or without a store.
 * @module
 */
import { type PinnedDataset, pinRecord } from '../../schemas/pin.ts';
import type { FieldRoles } from '../../schemas/records.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { HoldoutError } from '../../src/errors.ts';
import { itemsRootOf } from '../../src/tables/items-root.ts';
import { identifyDigests } from '../../src/lineage/select-rows.ts';
import { readPin } from '../../src/models/pin.ts';
import {
  type DataAtHand,
  type DataSources,
  type KnownPins,
  type PinFinding,
  type PinVerification,
  verifyPin,
} from '../../src/models/verify-pin.ts';
import type { Store } from '../../src/store/store.ts';
import { openReadTable } from '../../src/tables/read-table-reader.ts';
import type { ReadTable } from '../../src/tables/read/read-table-types.ts';
import type { TableReader } from '../../src/tables/table-reader.ts';
import type { Invocation } from '../command-spec.ts';
import type { CliContext } from '../context.ts';
import { exitStatus } from '../exit-codes.ts';
import { nameInput, readFileSet } from '../inputs.ts';
import { styled, writeJson, writeLines } from '../output.ts';
import { startProgress } from '../progress.ts';
import { entryName, openVersion, tableAccess } from '../snapshots.ts';
import { plural, printable } from '../text.ts';

const statusOf = { holds: exitStatus.ok, differs: exitStatus.found, 'cannot-tell': exitStatus.cannotTell } as const;

/** Verifies a pin; data come from the files given, else from the store, else nothing can be told of them. */
export async function verify(input: Invocation, modelDir: string): Promise<number> {
  const { context, options } = input;
  const pinned = await readPin(modelDir);
  const sources = options.flag('filesOnly') ? null : await openSources(input);
  const progress = startProgress(`hashing ${modelDir}`);
  const verification = await verifyPin(modelDir, pinned, sources, (bytes) => progress.update(bytes)).finally(() =>
    progress.end(),
  );
  if (context.json) await writeJson({ ...verification, says: pinned.pin.says });
  else await writeLines(verificationLines(verification, pinned.pin.says));
  return statusOf[verification.state];
}

async function openSources({ context, options }: Invocation): Promise<DataSources> {
  const store = await context.findStore().catch((error: unknown) => {
    if (error instanceof HoldoutError && error.code === 'STORE_UNUSABLE') return null;
    throw error;
  });
  const workDirectory = await context.scratchBeside(store);
  const given = { trains: options.list('train'), evals: options.list('eval') };
  const tables = new Map<string, ReadTable>();
  for (const argument of [...given.trains, ...given.evals]) {
    const named = await nameInput(context, store, argument);
    if (named.kind === 'files') tables.set(argument, await readFileSet(context, [argument], { workDirectory }));
  }
  const readPaths = [...tables.values()].flatMap((table) => table.bodies.map((body) => body.path));
  const engine = await context.openEngine(store, { readPaths, writeDirectories: [workDirectory] });
  const open = async (argument: string): Promise<DataAtHand> => {
    const table = tables.get(argument);
    if (table === undefined) {
      const named = await nameInput(context, store, argument);
      if (named.kind === 'files') throw new TypeError(`${argument} was not read`);
      const { reader, entry } = await openVersion(context, named.store, engine, named.entry);
      return atHand(engine, entryName(entry), reader);
    }
    return atHand(engine, argument, await openReadTable(engine, table, { workDirectory }));
  };
  return {
    trains: given.trains.length === 0 ? null : await Promise.all(given.trains.map(open)),
    evals: given.evals.length === 0 ? null : await Promise.all(given.evals.map(open)),
    stored: (dataset) => storedData(context, store, engine, dataset),
    known: store === null ? undefined : await knownPins(store),
  };
}

async function knownPins(store: Store): Promise<KnownPins> {
  const { pins, names } = await store.journal();
  const known: KnownPins['pins'][number][] = [];
  for (const id of new Set(pins.map((entry) => entry.pin))) {
    known.push({ id, pin: await store.getRecord(id, pinRecord) });
  }
  return { pins: known, snapshots: new Set([...names.values()].flat().map(({ snapshot }) => snapshot)) };
}

/** Ids computed anew from the row digests. */
async function atHand(engine: Engine, name: string, reader: TableReader): Promise<DataAtHand> {
  return {
    name,
    ...identifyDigests(await reader.digests()),
    // A key column that is not there gives another root, unless it held nulls only: absent and null are the same.
    itemsRoot: (fields: FieldRoles) => itemsRootOf(engine, reader, fields),
  };
}

async function storedData(
  context: CliContext,
  store: Store | null,
  engine: Engine,
  dataset: PinnedDataset,
): Promise<DataAtHand | string> {
  if (store === null) return 'no store here, and no files were given (--train, --eval)';
  try {
    return await atHand(
      engine,
      'the store',
      await tableAccess(context, store, engine).open({ table: dataset.table, schema: dataset.schema }),
    );
  } catch (error) {
    if (!(error instanceof HoldoutError)) throw error;
    return `${error.message}; give its files by --train or --eval`;
  }
}

function verificationLines({ state, findings }: PinVerification, says: string): string[] {
  const heading = {
    holds: styled('green', 'Holds: every file and table is as pinned.'),
    differs: styled('red', 'Differs from what was pinned.'),
    'cannot-tell': styled('yellow', 'Cannot tell: not everything pinned is at hand.'),
  }[state];
  const files = findings.filter((finding) => finding.what === 'file');
  const holding = files.filter((finding) => finding.state === 'holds').length;
  return [
    heading,
    `  The pin says: ${printable(says)}`,
    `  files  ${holding} of ${plural(files.length, 'file')} as pinned`,
    ...findings.filter((finding) => finding.what !== 'file' || finding.state !== 'holds').map(findingLine),
  ];
}

function findingLine({ what, name, state, detail }: PinFinding): string {
  const said = { holds: 'holds', differs: styled('red', 'differs'), 'cannot-tell': 'cannot tell' }[state];
  return `  ${what.padEnd(5)}  ${printable(name)}: ${said}${detail === '' ? '' : `: ${detail}`}`;
}
