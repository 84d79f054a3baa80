/**
 * `verify`: is everything there and what its id says? First structure, then every byte, then (with `readData`) the rows
 * of every part and stack against their digests, and the digests against the ids of tables and items. Damage is named
 * with the versions that it touches.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import { partRecord, snapshotRecord } from '../../schemas/records.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { formatSetRoot, formatTableId } from '../identity/ids.ts';
import { setTree } from '../merkle/set-tree.ts';
import { TableTreeBuilder } from '../merkle/table-tree.ts';
import { type VersionEntry, tableKey } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';
import type { Damage } from '../store/verify.ts';
import { itemsRootOf } from '../tables/items-root.ts';
import { isWhole } from '../tables/layout.ts';
import { partsOfLayout, readLayout } from '../tables/stored-parts.ts';
import { openTable } from '../tables/table-reader.ts';
import { damagesWithVersions, needsOfVersions } from './damage-touches.ts';
import type { FoundDamage, VersionNeeds } from './damage-touches.ts';
import { checkPart, checkStacks } from './verify-rows.ts';

export interface VerifyResult {
  readonly ok: boolean;
  /** `unchecked`: nothing is damaged, but rows of a version could not be recomputed. */
  readonly state: 'intact' | 'damaged' | 'unchecked';
  readonly damages: readonly FoundDamage[];
  /** What was looked at. */
  readonly versions: number;
  readonly bytes: number;
  readonly rows: number;
}

export interface VerifyOptions {
  /** Recompute row digests and roots; without it structure and bytes only. */
  readonly readData: boolean;
  readonly engine: Engine;
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/**
 * Checks the store; changes nothing. A version whose rows cannot be recomputed is a damage `unchecked`, with the reason;
 * the others are still looked at.
 * @throws HoldoutError `IO`, `INTERRUPTED`
 */
export async function verifyStore(store: Store, options: VerifyOptions): Promise<VerifyResult> {
  let bytes = 0;
  const structure = await store.verifyStructure(partsOfLayout);
  const files = await store.verifyFiles((done) => {
    bytes += done;
    options.onProgress?.(bytes);
  });
  const found = new Map<string, Damage>();
  for (const damage of [...structure, ...files]) found.set(`${damage.kind} ${damage.id ?? damage.path}`, damage);
  const { needs, whole } = await needsOfVersions(store);
  let rows = 0;
  // Tables are opened by what the journal says of them.
  if (options.readData && whole) {
    const broken = new Set([...found.values()].flatMap(({ kind, id }) => (id === null ? [] : [`${kind} ${id}`])));
    const data = await verifyData(store, options.engine, needs, broken);
    rows = data.rows;
    for (const damage of data.damages) {
      const key = `${damage.kind} ${damage.id}`;
      if (damage.problem !== 'unchecked' || !found.has(key)) found.set(key, damage);
    }
  }
  const damages = damagesWithVersions([...found.values()], needs);
  const ok = damages.length === 0;
  const state = ok ? 'intact' : damages.every(({ problem }) => problem === 'unchecked') ? 'unchecked' : 'damaged';
  return { ok, state, damages, versions: needs.length, bytes, rows };
}

async function verifyData(
  store: Store,
  engine: Engine,
  needs: readonly VersionNeeds[],
  broken: Set<string>,
): Promise<{ rows: number; damages: Damage[] }> {
  const damages: Damage[] = [];
  const sound = new Map<Sha256Id, boolean>();
  let rows = 0;
  const report = (kind: Damage['kind'], id: Sha256Id, says: string): void => {
    damages.push({
      kind,
      id,
      problem: 'damaged',
      path: kind === 'chunk' || kind === 'journal' ? null : store.filePath(kind, id),
      says,
    });
    broken.add(`${kind} ${id}`);
  };
  const checked = new Set<string>();
  const state = await store.journal();
  const checkVersion = async (entry: VersionEntry): Promise<void> => {
    const snapshot = await store.getRecord(entry.snapshot, snapshotRecord);
    const layoutId = state.layouts.get(tableKey(snapshot));
    // A dropped table has no rows to look at; whoever reads it rebuilds and checks it.
    if (layoutId === undefined && state.dropped.has(tableKey(snapshot))) return;
    const named = layoutId ?? entry.layout;
    if (named === undefined) throw new HoldoutError('STORE_CORRUPT', 'the journal names no layout for its table');
    const once = `${snapshot.table} ${snapshot.schema} ${named} ${snapshot.itemsRoot}`;
    if (checked.has(once)) return;
    const reader = await openTable(store, engine, snapshot);
    try {
      let intact = true;
      const layout = await readLayout(store, named);
      for (const { id } of layout.parts.filter(isWhole)) {
        const known = sound.get(id);
        if (known === undefined) {
          const problem = await checkPart(store, engine, id);
          sound.set(id, problem === null);
          if (problem !== null) report('record', id, problem);
          else rows += (await store.getRecord(id, partRecord)).rows;
        }
        intact &&= sound.get(id) === true;
      }
      checked.add(once);
      if (!intact) return;
      const digests = await reader.digests();
      const stacks = await checkStacks(store, engine, layout, reader.schema, digests);
      rows += stacks.rows;
      if (stacks.problem !== null) {
        report('layout', named, `${stacks.problem} of the layout ${named}`);
        return;
      }
      const builder = new TableTreeBuilder();
      builder.push(digests);
      const { rows: count, root } = builder.finish();
      if (formatTableId(count, root) !== snapshot.table || count !== snapshot.rows) {
        report('layout', named, `the layout ${named} gives other rows than ${snapshot.table}`);
      } else if (formatSetRoot(count, setTree(digests).root) !== snapshot.setRoot) {
        report('record', entry.snapshot, `the snapshot ${entry.snapshot} names another set root than its rows have`);
      } else if (
        snapshot.itemsRoot !== null &&
        (await itemsRootOf(engine, reader, snapshot.fields)) !== snapshot.itemsRoot
      ) {
        report('record', entry.snapshot, `the snapshot ${entry.snapshot} names another items root than its rows have`);
      }
    } finally {
      await reader.close();
    }
  };
  for (const { entry, keys } of needs) {
    if ([...keys].some((key) => broken.has(key))) continue;
    try {
      await checkVersion(entry);
    } catch (error) {
      if (!(error instanceof HoldoutError) || error.code === 'INTERRUPTED') throw error;
      const says = `the rows of ${entry.name}@${entry.version} cannot be checked: ${error.message}`;
      const path = store.filePath('record', entry.snapshot);
      damages.push({ kind: 'record', id: entry.snapshot, problem: 'unchecked', path, says });
    }
  }
  return { rows, damages };
}
