/**
 * A lineage as text: the version at the top, what it was made of below. The first input of a step goes on in the same
 * column, the others branch off; a step that several read is told once and referred to by its number.
 * @module
 */
import type { LineageReport, LineageStepReport } from '../schemas/lineage.ts';
import { clip, formatCount, plural, printable, shortId, wrapLine } from './text.ts';

/** How the tree is drawn. */
export interface TreeStyle {
  /** Columns of the terminal. */
  readonly width: number;
  readonly ascii: boolean;
}

const glyphs = {
  unicode: { step: '●', raw: '○', gone: '◌', down: '│', fork: '├─', more: '│ ', to: '→', dot: ' · ' },
  ascii: { step: '*', raw: 'o', gone: '.', down: '|', fork: '|-', more: '| ', to: '->', dot: ', ' },
} as const;
type Glyphs = (typeof glyphs)[keyof typeof glyphs];

/** From this width on, a step takes one line. */
const wideColumnsMin = 100;
/** Below it, what a step does may take so many. */
const sentenceLinesMax = 3;

/** Lines of the tree. */
export function lineageTree(report: LineageReport, { width, ascii }: TreeStyle): string[] {
  const { steps } = report;
  const marks = ascii ? glyphs.ascii : glyphs.unicode;
  const told = tellers(steps);
  const lines: string[] = [];
  const draw = (number: number, prefix: string, first: string): void => {
    const step = steps[number - 1]!;
    const [main, ...others] = step.inputs.map((input, index) => ({ ...input, own: told.has(`${number} ${index}`) }));
    const goesOn = main !== undefined;
    lines.push(...stepLines(step, prefix, first, goesOn, { width, marks }));
    for (const other of others) {
      const fork = `${prefix}${marks.fork}`;
      if (other.own) draw(other.step, `${prefix}${marks.more}`, fork);
      else lines.push(clip(`${fork}${reference(steps, other.step, marks)}`, width));
    }
    if (main === undefined) return;
    if (main.own) draw(main.step, prefix, prefix);
    else lines.push(clip(`${prefix}${reference(steps, main.step, marks)}`, width));
  };
  draw(steps.length, '', '');
  return lines;
}

/** For each step the edge under which it is told, as `reader input`: along first inputs before all others. */
function tellers(steps: readonly LineageStepReport[]): ReadonlySet<string> {
  const told = new Set<string>();
  const seen = new Set<number>();
  const claim = (number: number): void => {
    const chain: number[] = [];
    for (let at: number | undefined = number; at !== undefined;) {
      chain.push(at);
      const next: number | undefined = steps[at - 1]!.inputs[0]?.step;
      if (next === undefined || seen.has(next)) break;
      seen.add(next);
      told.add(`${at} 0`);
      at = next;
    }
    for (const at of chain) {
      for (const [index, { step }] of steps[at - 1]!.inputs.entries()) {
        if (index === 0 || seen.has(step)) continue;
        seen.add(step);
        told.add(`${at} ${index}`);
        claim(step);
      }
    }
  };
  seen.add(steps.length);
  claim(steps.length);
  return told;
}

function reference(steps: readonly LineageStepReport[], number: number, { to }: Glyphs): string {
  const { version } = steps[number - 1]!;
  return `${to} step ${number}${version === null ? '' : `, ${version}`}`;
}

function stepLines(
  step: LineageStepReport,
  prefix: string,
  first: string,
  goesOn: boolean,
  { width, marks }: { readonly width: number; readonly marks: Glyphs },
): string[] {
  const { step: raw, gone } = { step: marks.raw, gone: marks.gone };
  const mark = step.kind === 'read' ? raw : step.output === 'stored' ? marks.step : gone;
  const name = step.version === null ? '' : ` ${marks.to} ${step.version}`;
  const start = `${first}${mark} ${step.step} `;
  const facts = [rowsText(step, marks), ...notes(step), shortId(step.table)];
  if (width >= wideColumnsMin) {
    const right = facts.join('  ');
    const room = width - right.length - name.length - 2;
    return [`${clip(start + stepName(step), room)}${name}`.padEnd(room + name.length) + `  ${right}`];
  }
  const below = `${prefix}${goesOn || step.inputs.length > 1 ? marks.down : ' '}   `;
  const room = Math.max(8, width - Math.max(start.length, below.length));
  return [
    ...sentenceLines(stepName(step), name, room).map((line, index) => `${index === 0 ? start : below}${line}`),
    clip(`${below}${facts.join(marks.dot)}`, width),
  ];
}

/** What the step does, and the version at its end, in at most so many lines. */
function sentenceLines(says: string, name: string, room: number): string[] {
  const lines = wrapLine(says + name, room);
  if (lines.length <= sentenceLinesMax && lines.every((line) => line.length <= room)) return lines;
  const before = wrapLine(says, room).slice(0, sentenceLinesMax - 1);
  if (before.some((line) => line.length > room)) return [`${clip(says, Math.max(8, room - name.length))}${name}`];
  const rest = says.slice(before.join(' ').length).trimStart();
  return [...before, `${clip(rest, Math.max(8, room - name.length))}${name}`];
}

/** What the step does; the name of the transform where the words do not begin with it. */
function stepName({ transform, says, kind }: LineageStepReport): string {
  const name = transform.split('@')[0] ?? transform;
  return kind === 'read' || says.startsWith(name) ? printable(says) : `${name}: ${printable(says)}`;
}

function rowsText({ inputs, rows }: LineageStepReport, { to }: Glyphs): string {
  if (inputs.length === 0) return plural(rows, 'row');
  return `${inputs.map((input) => formatCount(input.rows)).join(' + ')} ${to} ${formatCount(rows)}`;
}

/** What is out of the ordinary. */
function notes({ output, code }: LineageStepReport): string[] {
  return [...(output === 'stored' ? [] : [output]), ...(code === 'not-vouched' ? ['code not vouched for'] : [])];
}
