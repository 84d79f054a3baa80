/**
 * A lineage as a Mermaid flowchart.
 * @module
 */
import type { LineageReport, LineageStepReport } from '../schemas/lineage.ts';
import { clip, formatCount, shortId } from './text.ts';

const labelCharactersMax = 60;

/** Text of the flowchart; what data says of itself is escaped. */
export function lineageMermaid({ version, steps }: LineageReport): string {
  return [
    '---',
    `title: ${JSON.stringify(version)}`,
    '---',
    'flowchart TD',
    ...steps.map((step) => `  s${step.step}${shape(step)}`),
    ...steps.flatMap(({ step, inputs }) =>
      inputs.map((input) => `  s${input.step} -->|${formatCount(input.rows)}| s${step}`),
    ),
    '  classDef notKept stroke-dasharray: 4 3',
    '  classDef notVouched stroke: #b45309, stroke-width: 2px',
    ...classes(steps, 'notKept', ({ output }) => output !== 'stored'),
    ...classes(steps, 'notVouched', ({ code }) => code === 'not-vouched'),
    '',
  ].join('\n');
}

function shape(step: LineageStepReport): string {
  const lines = [
    `${step.step} ${step.transform}${step.version === null ? '' : ` → ${step.version}`}`,
    step.says,
    `${formatCount(step.rows)} rows · ${step.kind} · ${shortId(step.table)}${step.output === 'stored' ? '' : ` · ${step.output}`}`,
  ];
  const label = lines.map((line) => escaped(clip(line, labelCharactersMax))).join('<br/>');
  return step.kind === 'read' ? `[("${label}")]` : `["${label}"]`;
}

/** Mermaid's own way: entity numbers between # and ;. */
function escaped(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} .,:·→…@_/+=()-]/gu, (character) => `#${character.codePointAt(0) ?? 0};`);
}

function classes(
  steps: readonly LineageStepReport[],
  name: string,
  has: (step: LineageStepReport) => boolean,
): string[] {
  const found = steps.filter(has).map(({ step }) => `s${step}`);
  return found.length === 0 ? [] : [`  class ${found.join(',')} ${name}`];
}
