/**
 * What goes wrong while a step of a pipeline runs, said with the step's place in the file.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import type { DerivedNode } from './pipeline.ts';

/**
 * The error with dataset file, line, column, number and name of step `index` (from 0). An error that names a place in
 * the data keeps that one, and says the step's in its message. What is no fault of a step is given back as it is.
 */
export function atStep({ file, steps }: DerivedNode, index: number, error: unknown): unknown {
  const step = steps[index];
  if (step === undefined || !(error instanceof HoldoutError) || error.code === 'INTERRUPTED') return error;
  const { line, column } = step.place;
  const what = `step ${index + 1} (${step.label})`;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  const more = { ...hint, others: error.others, cause: error };
  if (error.place.line !== undefined) {
    const where = `${what} at ${file}:${line}:${column}`;
    return new HoldoutError(error.code, `${where}: ${error.message}`, { ...error.place, ...more });
  }
  const of = error.place.file;
  const message = of === undefined || error.message.includes(of) ? error.message : `${of}: ${error.message}`;
  return new HoldoutError(error.code, `${what}: ${message}`, { file, line, column, ...more });
}
