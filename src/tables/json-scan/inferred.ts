/**
 * What a scan saw at each path of a file's rows, as plain data. `schema.ts` makes types of it.
 *
 * Nothing here depends on how the work was divided: members stand in the order of their first sight in the file, and
 * a column becomes `free` by its number of distinct paths alone.
 * @module
 */

/** Bits of `Inferred.kinds`. */
export const KIND = { null: 1, boolean: 2, integer: 4, float: 8, string: 16, list: 32, object: 64 } as const;

/** Bits of `Inferred.integers`: some integer is past ±2^53, negative, past int64 upward, past 64 bits. */
export const INTEGER = { big: 1, negative: 2, unsigned: 4, wide: 8 } as const;

/** What was seen at one path. */
export interface Inferred {
  /** Sum of `KIND` bits. */
  readonly kinds: number;
  /** Sum of `INTEGER` bits. */
  readonly integers: number;
  /** A column with more paths than are kept: its lists and objects have no known shape. */
  readonly free: boolean;
  /** Elements of the lists here; null where no list had any, or they are not kept. */
  readonly element: Inferred | null;
  /** Members of the objects here, by first sight. */
  readonly members: readonly InferredMember[];
}

/** A member of the objects at a path; of the row itself: a column. */
export interface InferredMember {
  readonly name: string;
  /** Offset in the file of the name's first sight. */
  readonly at: number;
  readonly seen: Inferred;
}

/** What was seen in a file, or in several. */
export interface InferredSchema {
  readonly columns: readonly InferredMember[];
}

/** Most distinct paths under a column, and most bytes of their names; trie.as.ts holds the same bounds. */
const PATHS_MAX = 2_000;
const PATH_NAMES_MAX = 1 << 18;

/** What was seen in `a` or in `b`; columns and members that only `b` has follow those of `a`. */
export function mergeInferred(a: InferredSchema, b: InferredSchema): InferredSchema {
  return { columns: mergeMembers(a.columns, b.columns).map(bounded) };
}

/** The same for two parts of one file: columns and members in the order of their first sight in it. */
export function mergeParts(a: InferredSchema, b: InferredSchema): InferredSchema {
  return { columns: inOrderOfSight(mergeInferred(a, b).columns) };
}

function merge(a: Inferred, b: Inferred): Inferred {
  const free = a.free || b.free;
  return {
    kinds: a.kinds | b.kinds,
    integers: a.integers | b.integers,
    free,
    element: free
      ? null
      : a.element === null || b.element === null
        ? (a.element ?? b.element)
        : merge(a.element, b.element),
    members: free ? [] : mergeMembers(a.members, b.members),
  };
}

function mergeMembers(a: readonly InferredMember[], b: readonly InferredMember[]): readonly InferredMember[] {
  if (b.length === 0) return a;
  const merged = new Map(a.map((member) => [member.name, member]));
  for (const member of b) {
    const known = merged.get(member.name);
    merged.set(
      member.name,
      known === undefined
        ? member
        : { name: member.name, at: Math.min(known.at, member.at), seen: merge(known.seen, member.seen) },
    );
  }
  return [...merged.values()];
}

function inOrderOfSight(members: readonly InferredMember[]): readonly InferredMember[] {
  return members
    .map((member) => ({ ...member, seen: sightOrdered(member.seen) }))
    .sort((one, other) => one.at - other.at);
}

function sightOrdered(seen: Inferred): Inferred {
  return {
    ...seen,
    element: seen.element === null ? null : sightOrdered(seen.element),
    members: inOrderOfSight(seen.members),
  };
}

function bounded(column: InferredMember): InferredMember {
  const { paths, names } = size(column.seen);
  if (paths <= PATHS_MAX && names <= PATH_NAMES_MAX) return column;
  return { ...column, seen: { ...column.seen, free: true, element: null, members: [] } };
}

function size(seen: Inferred): { paths: number; names: number } {
  let paths = 0;
  let names = 0;
  const add = (inner: Inferred, name: string): void => {
    const within = size(inner);
    paths += 1 + within.paths;
    names += Buffer.byteLength(name) + within.names;
  };
  if (seen.element !== null) add(seen.element, '');
  for (const member of seen.members) add(member.seen, member.name);
  return { paths, names };
}
