/**
 * The order in which datasets can be made, and the cycles where there is none.
 * @module
 */

/** A dataset and the names that it needs. */
export interface Needing {
  readonly name: string;
  readonly needs: readonly string[];
}

/** An order, or the cycles. */
export type Ordered<T> = { readonly order: readonly T[] } | { readonly cycles: readonly (readonly string[])[] };

/**
 * Puts each behind what it needs; otherwise they keep their order. Names that are not in the list are no concern.
 * A cycle is given with its first name at the end again: a, b, a. No name is in two of them: a cycle that shares names
 * with another one may be gone when that one is mended.
 */
export function orderByNeeds<T extends Needing>(items: readonly T[]): Ordered<T> {
  const byName = new Map(items.map((item) => [item.name, item]));
  const order: T[] = [];
  const done = new Set<string>();
  const cycles: string[][] = [];
  const inCycle = new Set<string>();
  for (const item of items) {
    // Depth first, without recursion: a chain may be as long as the file allows.
    const way: { readonly item: T; next: number }[] = [];
    const onWay = new Map<string, number>();
    const enter = (next: T): void => {
      onWay.set(next.name, way.length);
      way.push({ item: next, next: 0 });
    };
    if (!done.has(item.name)) enter(item);
    for (let top = way.at(-1); top !== undefined; top = way.at(-1)) {
      const need = top.item.needs[top.next++];
      if (need === undefined) {
        way.pop();
        onWay.delete(top.item.name);
        done.add(top.item.name);
        order.push(top.item);
        continue;
      }
      const needed = byName.get(need);
      if (needed === undefined || done.has(need)) continue;
      const start = onWay.get(need);
      if (start === undefined) {
        enter(needed);
        continue;
      }
      const names = way.slice(start).map((each) => each.item.name);
      if (names.some((name) => inCycle.has(name))) continue;
      cycles.push([...names, need]);
      for (const name of names) inCycle.add(name);
    }
  }
  return cycles.length > 0 ? { cycles } : { order };
}

/** Items of these names and all that they need, in their order. */
export function neededFor<T extends Needing>(items: readonly T[], names: Iterable<string>): readonly T[] {
  const byName = new Map(items.map((item) => [item.name, item]));
  const wanted = new Set<string>();
  const open = [...names];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const item = byName.get(name);
    if (item === undefined || wanted.has(name)) continue;
    wanted.add(name);
    open.push(...item.needs);
  }
  return items.filter(({ name }) => wanted.has(name));
}
