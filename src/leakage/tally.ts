/**
 * Keeps what a check finds: every leaking row with one item at least, every item with its strongest class, and no more
 * hits than a report needs.
 * @module
 */
import { hitClass } from '../../schemas/leak-report.ts';
import type { HitClass } from '../../schemas/leak-report.ts';
import { hitsPerItemMax } from './method.ts';

/** A hit by numbers: which sets, which rows. */
export interface Finding {
  readonly evalIndex: number;
  readonly item: number;
  readonly trainIndex: number;
  readonly row: number;
  readonly class: HitClass;
  readonly leak: boolean;
  readonly coverage: number;
  readonly longestRun: number;
}

/** How an item or a row stands. */
export type Standing = 'none' | 'shown' | 'suspect' | 'leak';

const strength: Readonly<Record<Standing, number>> = { none: 0, shown: 1, suspect: 2, leak: 3 };

interface ItemState {
  class: HitClass;
  standing: Standing;
  leaks: number;
  others: number;
}

/** The findings of a check. */
export class Tally {
  /** By eval set, then by item; and by training set, then by row. */
  readonly #items: Map<number, ItemState>[] = [];
  readonly #rows: Map<number, Standing>[] = [];
  readonly findings: Finding[] = [];

  add(finding: Finding): void {
    const standing = standingOf(finding);
    const rows = (this.#rows[finding.trainIndex] ??= new Map());
    const items = (this.#items[finding.evalIndex] ??= new Map());
    const rowBefore = rows.get(finding.row) ?? 'none';
    const item = items.get(finding.item) ?? { class: finding.class, standing: 'none', leaks: 0, others: 0 };
    const named = finding.leak ? item.leaks : item.others;
    const isNews = strength[standing] > strength[rowBefore] && standing !== 'shown';
    if (isNews || named < hitsPerItemMax) this.findings.push(finding);
    if (finding.leak) item.leaks++;
    else item.others++;
    if (isStronger(finding, standing, item)) item.class = finding.class;
    item.standing = stronger(item.standing, standing);
    items.set(finding.item, item);
    rows.set(finding.row, stronger(rowBefore, standing));
  }

  item(evalIndex: number, item: number): Standing {
    return this.#items[evalIndex]?.get(item)?.standing ?? 'none';
  }

  row(trainIndex: number, row: number): Standing {
    return this.#rows[trainIndex]?.get(row) ?? 'none';
  }

  /** Items of a set by their strongest class, and how many stand as what. */
  itemsOf(evalIndex: number): ItemCounts {
    const classes: Partial<Record<HitClass, number>> = {};
    let leaked = 0;
    let suspect = 0;
    for (const item of this.#items[evalIndex]?.values() ?? []) {
      classes[item.class] = (classes[item.class] ?? 0) + 1;
      if (item.standing === 'leak') leaked++;
      if (item.standing === 'suspect') suspect++;
    }
    return { classes, leaked, suspect };
  }

  /** Rows of a training set that leak, and those that are suspect only. */
  rowsOf(trainIndex: number): { readonly leaked: number; readonly suspect: number } {
    const standings = [...(this.#rows[trainIndex]?.values() ?? [])];
    const count = (wanted: Standing): number => standings.filter((standing) => standing === wanted).length;
    return { leaked: count('leak'), suspect: count('suspect') };
  }
}

/** Items by class, and by how they stand. */
export interface ItemCounts {
  readonly classes: Partial<Record<HitClass, number>>;
  readonly leaked: number;
  readonly suspect: number;
}

/** `short` and `source-overlap` are shown, but make no suspect. */
function standingOf(finding: Finding): Standing {
  if (finding.leak) return 'leak';
  return finding.class === 'suspect' ? 'suspect' : 'shown';
}

function stronger(a: Standing, b: Standing): Standing {
  return strength[a] >= strength[b] ? a : b;
}

function isStronger(finding: Finding, standing: Standing, item: ItemState): boolean {
  if (strength[standing] !== strength[item.standing]) return strength[standing] > strength[item.standing];
  return hitClass.options.indexOf(finding.class) < hitClass.options.indexOf(item.class);
}
