import { sentenceCase } from './sentence-case.ts';

interface Row {
  readonly instruction: string;
  readonly output: string;
}

/** Drops refusals, and begins each instruction with a capital letter. */
export default function tidy(row: Row): Row | null {
  if (/^(?:no|i cannot|i will not)\b/iu.test(row.output)) return null;
  return { ...row, instruction: sentenceCase(row.instruction) };
}
