/**
 * What goes wrong while a step or a check of a pipeline runs, said with its place in the file.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import type { DerivedNode, PipelineCheck } from './pipeline.ts';
import type { Place } from './yaml-places.ts';

/**
 * The error with dataset file, line, column, number and name of step `index` (from 0). An error that names a place in
 * the data keeps that one, and says the step's in its message. What is no fault of a step is given back as it is.
 */
export function atStep({ file, steps }: DerivedNode, index: number, thrown: unknown): unknown {
  const step = steps[index];
  if (step === undefined || !(thrown instanceof HoldoutError) || thrown.code === 'INTERRUPTED') return thrown;
  const error = withoutName(thrown, step.step.name);
  const what = `step ${index + 1} (${step.label})`;
  if (error.place.line !== undefined) {
    const where = `${what} at ${file}:${step.place.line}:${step.place.column}`;
    return new HoldoutError(error.code, `${where}: ${error.message}`, { ...error.place, ...furtherOf(error) });
  }
  return placedAt(error, file, step.place, `${what}: `);
}

/** The name of the step before the message says nothing that its number and place do not. */
function withoutName(error: HoldoutError, name: string): HoldoutError {
  if (!error.message.startsWith(`${name}: `)) return error;
  const message = error.message.slice(name.length + 2);
  return new HoldoutError(error.code, message, { ...error.place, ...furtherOf(error) });
}

/** The error with the check's file, line and column, where it names no place in the data. */
export function atCheck(file: string, { place }: PipelineCheck, error: unknown): unknown {
  if (!(error instanceof HoldoutError) || error.code === 'INTERRUPTED' || error.place.line !== undefined) return error;
  return placedAt(error, file, place, '');
}

/** The error with a place in the pipeline file; a file of data that it is about is told in its message. */
export function placedAt(error: HoldoutError, file: string, { line, column }: Place, before: string): HoldoutError {
  const of = error.place.file;
  const message = of === undefined || error.message.includes(of) ? error.message : `${of}: ${error.message}`;
  return new HoldoutError(error.code, `${before}${message}`, { file, line, column, ...furtherOf(error) });
}

function furtherOf(error: HoldoutError): Pick<HoldoutError, 'others'> & { hint?: string; cause: HoldoutError } {
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return { ...hint, others: error.others, cause: error };
}
