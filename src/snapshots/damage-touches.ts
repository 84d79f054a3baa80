/**
 * Which versions a damage of the store touches: those that cannot be had whole because of it.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import type { VersionEntry } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';
import type { Damage } from '../store/verify.ts';
import { partsOfLayout } from '../tables/stored-parts.ts';

/** Something wrong, and who needs it. */
export interface FoundDamage extends Damage {
  /** `name@version` of the versions that cannot be had whole because of it. */
  readonly touches: readonly string[];
}

/** A version and all that it needs, as `kind id`. */
export interface VersionNeeds {
  readonly entry: VersionEntry;
  readonly keys: ReadonlySet<string>;
}

/**
 * What each version needs; of one whose records are broken, what can still be told. Where the journal is broken
 * (`whole` false) these are the versions that can be read of it.
 * @throws HoldoutError `IO`
 */
export async function needsOfVersions(store: Store): Promise<{ needs: readonly VersionNeeds[]; whole: boolean }> {
  const { versions, whole } = await versionsOf(store);
  const needs: VersionNeeds[] = [];
  for (const entry of versions) {
    const keys = new Set<string>([`record ${entry.snapshot}`]);
    if (entry.layout !== undefined) keys.add(`layout ${entry.layout}`);
    if (whole) {
      try {
        for (const { kind, id } of await store.neededBy(entry, partsOfLayout)) keys.add(`${kind} ${id}`);
      } catch (error) {
        if (!(error instanceof HoldoutError) || error.code === 'IO') throw error;
      }
    }
    needs.push({ entry, keys });
  }
  return { needs, whole };
}

async function versionsOf(store: Store): Promise<{ versions: readonly VersionEntry[]; whole: boolean }> {
  try {
    return { versions: [...(await store.journal()).names.values()].flat(), whole: true };
  } catch (error) {
    if (!(error instanceof HoldoutError) || error.code !== 'STORE_CORRUPT') throw error;
    return { versions: await store.readableVersions(), whole: false };
  }
}

/**
 * Names the versions of each damage. Chunks that are missing because a pack has lost its index are told as that pack's
 * damage: the pack is what can be restored.
 */
export function damagesWithVersions(damages: readonly Damage[], needs: readonly VersionNeeds[]): FoundDamage[] {
  const chunks = damages.some(isUnindexed) ? damages.filter(({ kind }) => kind === 'chunk') : [];
  const told = damages.filter((damage) => !chunks.includes(damage));
  const all = needs.map(({ entry }) => entry);
  return told.map((damage) => {
    if (damage.kind === 'journal') return { ...damage, touches: touchedByEntry(damage, all) };
    if (!isUnindexed(damage) || chunks.length === 0) return { ...damage, touches: touchedBy([damage], needs) };
    const count = chunks.length === 1 ? '1 chunk is' : `${chunks.length} chunks are`;
    const says = `${damage.says}, and has lost its index: ${count} in no pack that can be read`;
    return { ...damage, says, touches: touchedBy([damage, ...chunks], needs) };
  });
}

function touchedBy(damages: readonly Damage[], needs: readonly VersionNeeds[]): readonly string[] {
  const wanted = damages.map(({ kind, id }) => `${kind} ${id}`);
  return needs.filter(({ keys }) => wanted.some((key) => keys.has(key))).map(({ entry }) => nameOf(entry));
}

/** A broken journal is not read at all, so that it touches every version: the lost ones first. */
function touchedByEntry({ problem, version }: Damage, readable: readonly VersionEntry[]): readonly string[] {
  if (problem === 'foreign') return [];
  const names = new Set(readable.map(nameOf));
  const last = new Map<string, number>();
  for (const entry of readable) last.set(entry.name, Math.max(last.get(entry.name) ?? 0, entry.version));
  const lost = new Set(version === undefined ? [] : [version]);
  for (const [name, count] of last) {
    for (let each = 1; each < count; each += 1) if (!names.has(`${name}@${each}`)) lost.add(`${name}@${each}`);
  }
  return [...new Set([...lost, ...names])];
}

function nameOf({ name, version }: VersionEntry): string {
  return `${name}@${version}`;
}

function isUnindexed({ unindexed }: Damage): boolean {
  return unindexed === true;
}
