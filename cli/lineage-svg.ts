/**
 * A lineage as a picture: SVG without scripts, in the colours of the reader's light or dark theme.
 * @module
 */
import { type Edge, Graph, type Point, layout } from '@dagrejs/dagre';
import type { LineageReport, LineageStepReport } from '../schemas/lineage.ts';
import { type OtherNames, countsText, toldCounts } from './step-text.ts';
import { clip, formatCount, printable, shortId } from './text.ts';

const boxWidth = 320;
/** Of a box whose sentence takes one line. */
const boxHeight = 66;
const lineHeight = 15;
const margin = 24;
/** Places of a line in a box, at about 6.6 pixels each. */
const placesMax = 45;
/** Lines that a sentence may take; all of it stands in the box's title. */
const sentenceLinesMax = 5;

const style = `
svg { background: #ffffff; font-family: system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; font-size: 12px }
rect { fill: #f6f8fa; stroke: #8b949e; rx: 6px }
.read rect { fill: #ddf4ff; stroke: #0969da }
.mapping rect { fill: #fbefff; stroke: #8250df }
.row-adding rect { fill: #dafbe1; stroke: #1a7f37 }
.user rect { fill: #fff8c5; stroke: #9a6700 }
.gone rect { stroke-dasharray: 5 4; fill-opacity: 0.35 }
.not-vouched rect { stroke: #cf222e; stroke-width: 2px }
text { fill: #1f2328 }
.name { font-weight: 600 }
.facts { fill: #59636e; font-size: 11px }
path { fill: none; stroke: #8b949e; stroke-width: 1.5px }
marker path { fill: #8b949e; stroke: none }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117 }
rect { fill: #161b22; stroke: #6e7681 }
.read rect { fill: #0c2d48; stroke: #58a6ff }
.mapping rect { fill: #2a1b45; stroke: #bc8cff }
.row-adding rect { fill: #0f2d1a; stroke: #3fb950 }
.user rect { fill: #3b2e0a; stroke: #d29922 }
.not-vouched rect { stroke: #f85149 }
text { fill: #e6edf3 }
.facts { fill: #9198a1 }
path { stroke: #6e7681 }
marker path { fill: #6e7681 }
}
`;

/** The picture; raw files at the top, the version at the bottom. */
export function lineageSvg({ version, steps }: LineageReport): string {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'TB', nodesep: 28, ranksep: 34, marginx: margin, marginy: margin });
  graph.setDefaultEdgeLabel(() => ({}));
  const sentences = steps.map(({ says }) => sentenceLines(printable(says)));
  for (const [index, { step }] of steps.entries()) {
    const height = boxHeight + (sentences[index]!.length - 1) * lineHeight;
    graph.setNode(String(step), { width: boxWidth, height });
  }
  for (const { step, inputs } of steps) {
    for (const [index, input] of inputs.entries()) graph.setEdge(String(input.step), String(step), {}, String(index));
  }
  layout(graph);
  const size = graph.graph() as { readonly width?: number; readonly height?: number };
  const [width, height] = [Math.ceil(size.width ?? 0), Math.ceil(size.height ?? 0)];
  const paths = graph.edges().map((edge: Edge) => {
    const { points = [] } = graph.edge(edge) as { readonly points?: readonly Point[] };
    return `<path d="${curve(points)}" marker-end="url(#arrow)"/>`;
  });
  const boxes = steps.map((step, index) => {
    const others = step.inputs.slice(1).map((input) => steps[input.step - 1]!.version ?? `step ${input.step}`);
    return box(step, graph.node(String(step.step)), { sentence: sentences[index]!, others });
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(`Lineage of ${version}`)}">`,
    `<style>${style}</style>`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>',
    ...paths,
    ...boxes,
    '</svg>',
    '',
  ].join('\n');
}

interface BoxText {
  readonly sentence: readonly string[];
  readonly others: OtherNames;
}

function box(step: LineageStepReport, { x, y }: Point, { sentence, others }: BoxText): string {
  const more = (sentence.length - 1) * lineHeight;
  const height = boxHeight + more;
  const [left, top] = [round(x - boxWidth / 2), round(y - height / 2)];
  const classes = [
    step.kind,
    ...(step.output === 'stored' ? [] : ['gone']),
    ...(step.code === 'not-vouched' ? ['not-vouched'] : []),
  ];
  const name = `${step.step}  ${step.transform}${step.version === null ? '' : `  →  ${step.version}`}`;
  const before = step.inputs.map((input) => formatCount(input.rows)).join(' + ');
  const facts = [
    `${before === '' ? '' : `${before} → `}${formatCount(step.rows)} rows`,
    shortId(step.table),
    step.output,
    ...(step.code === 'not-vouched' ? ['code not vouched for'] : []),
  ];
  const counts = countsText(step.counts, others, toldCounts(step.transform)).trim();
  const title = [step.says, ...(counts === '' ? [] : [counts]), step.table].join('\n');
  return [
    `<g class="${classes.join(' ')}"><title>${escaped(title)}</title>`,
    `<rect x="${left}" y="${top}" width="${boxWidth}" height="${height}" rx="6"/>`,
    text('name', left, top + 20, name),
    `<text class="facts" text-anchor="end" x="${left + boxWidth - 12}" y="${round(top + 20)}">${step.kind}</text>`,
    ...sentence.map((line, index) => text('says', left, top + 38 + index * lineHeight, line)),
    text('facts', left, top + 55 + more, facts.join(' · ')),
    '</g>',
  ].join('\n');
}

function text(name: string, left: number, y: number, line: string): string {
  return `<text class="${name}" x="${left + 12}" y="${round(y)}">${escaped(fitted(line))}</text>`;
}

/** Cut to the box. */
function fitted(line: string): string {
  const end = fittingCharacters(line);
  return end === null ? line : clip(line, end);
}

/** Broken to the box, at words where there are any. */
function sentenceLines(sentence: string): string[] {
  const lines: string[] = [];
  let rest = sentence;
  for (let end = fittingCharacters(rest); end !== null; end = fittingCharacters(rest)) {
    if (lines.length === sentenceLinesMax - 1) break;
    const line = Array.from(rest).slice(0, end).join('');
    const atWord = rest[line.length] === ' ' ? line.length : line.lastIndexOf(' ');
    // A word that is longer than half of a line is broken, too.
    const cut = atWord * 2 > line.length ? atWord : line.length;
    lines.push(rest.slice(0, cut).trimEnd());
    rest = rest.slice(cut).trimStart();
  }
  return [...lines, rest];
}

/** How many characters fit into a line, where not all do; those of East Asian scripts and emoji take two places. */
function fittingCharacters(line: string): number | null {
  let places = 0;
  const end = Array.from(line).findIndex((character) => {
    places += (character.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1;
    return places > placesMax;
  });
  return end < 0 ? null : end;
}

/** A smooth path through the points. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points.map(({ x, y }) => [round(x), round(y)] as const);
  if (first === undefined) return '';
  let path = `M${first[0]} ${first[1]}`;
  for (const [index, [x, y]] of rest.entries()) {
    const next = rest[index + 1];
    if (next === undefined) path += `L${x} ${y}`;
    else path += `Q${x} ${y} ${round((x + next[0]) / 2)} ${round((y + next[1]) / 2)}`;
  }
  return path;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Text as XML takes it; control characters are shown as escapes, halves of surrogate pairs become U+FFFD. */
function escaped(plain: string): string {
  const lines = Buffer.from(plain).toString().split('\n').map(printable).join('\n');
  return lines.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
