/**
 * What `holdout trace` says of the ways of rows back to their raw files.
 * @module
 */
import { stepFacts } from '../src/lineage/describe-step.ts';
import type { LineageStep } from '../src/lineage/graph.ts';
import type { TracedHop, TracedRow } from '../src/lineage/trace.ts';
import { builtInTransforms } from '../transforms/index.ts';
import type { RawPlace } from './raw-places.ts';
import { clip, formatCount, plural } from './text.ts';

const textWidth = 100;

/** What ways back are told with. */
export interface TracedLineage {
  readonly steps: readonly LineageStep[];
  /** Of each way that ends in a raw file. */
  readonly places: ReadonlyMap<TracedRow, RawPlace>;
}

/** A way as `--json` says it. */
export function wayJson(lineage: TracedLineage, way: TracedRow): Record<string, unknown> {
  const { hops, stops, madeOf } = way;
  return {
    steps: hops.map((hop) => hopJson(lineage.steps, hop)),
    stops,
    source: lineage.places.get(way) ?? null,
    madeOf:
      madeOf === null
        ? null
        : { rows: madeOf.rows.map((each) => ({ row: each.row, ...wayJson(lineage, each) })), more: madeOf.more },
  };
}

/** Lines that say where a way ends: in a raw file, in many rows, or before. */
export function endLines(lineage: TracedLineage, way: TracedRow): string[] {
  if (way.stops !== null) return [`  the trace ends here: ${way.stops}`];
  if (way.madeOf === null) return placeLines(lineage.places.get(way) ?? null);
  const { rows, more } = way.madeOf;
  const count = rows.length + more;
  const first = more === 0 ? '' : rows.length === 1 ? ', the first' : `, the first ${formatCount(rows.length)}`;
  return [
    `  made of ${plural(count, 'row')}${first}:`,
    ...rows.flatMap((each) => [
      `    ${each.hops.map((hop) => hopText(lineage.steps, hop)).join(' ← ')}`,
      ...endLines(lineage, each).map((line) => `    ${line}`),
    ]),
    ...(more === 0 ? [] : [`    ${plural(more, 'row')} more; --limit shows more`]),
  ];
}

function hopText(steps: readonly LineageStep[], { step, row }: TracedHop): string {
  const { version } = stepFacts(builtInTransforms, steps, steps[step]!);
  return `row ${formatCount(row + 1)} of ${version ?? `step ${step + 1}`}`;
}

function hopJson(
  steps: readonly LineageStep[],
  { step, row }: { readonly step: number; readonly row: number },
): Record<string, unknown> {
  const { transform, says, version } = stepFacts(builtInTransforms, steps, steps[step]!);
  return { step: step + 1, transform, says, version, row };
}

function placeLines(place: RawPlace | null): string[] {
  if (place === null) return ['  the store does not say which raw file it was'];
  if (place.line === null) {
    return [`  ${place.file}, row ${formatCount(place.row + 1)}; where its bytes begin is not known`];
  }
  const where = `  ${place.file}:${place.line}, ${plural(place.bytes ?? 0, 'byte')} from byte ${formatCount(place.offset ?? 0)}`;
  // A row of a document may be spread over lines.
  const text = (place.text ?? '').replaceAll(/\s*\n\s*/g, ' ');
  return [where, `  ${clip(text, textWidth)}`];
}
