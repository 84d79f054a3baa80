/**
 * Says of a step that runs a command which local files the command names and the step does not declare: their content
 * is no part of its identity.
 * @module
 */
import { stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import type { PreparedStep } from '../src/lineage/transform.ts';
import { remark } from './output.ts';

const commandName = 'holdout/command';

/** A step, and how it is named in a warning. */
export interface NamedStep {
  readonly step: PreparedStep;
  /** `holdout.yaml:9:9: clean, step 1 (command)` */
  readonly named: string;
}

/** Remarks on each such file of each step once. */
export async function warnOfUndeclared(projectRoot: string, steps: readonly NamedStep[]): Promise<void> {
  for (const { step, named } of steps) {
    if (step.name !== commandName) continue;
    for (const file of await undeclaredFiles(projectRoot, step.params as unknown as CommandParams))
      remark(`warning: ${named}: ${file} is not in files: editing it re-runs nothing`);
  }
}

interface CommandParams {
  readonly run: string | readonly string[];
  readonly files: readonly string[];
}

/** Words of the command that are files of the project, as they are written. Of a shell line this is a guess. */
async function undeclaredFiles(projectRoot: string, { run, files }: CommandParams): Promise<string[]> {
  const words = typeof run === 'string' ? run.split(/[\s"'`;|&<>()=]+/) : run;
  const declared = new Set(files.map((file) => resolve(projectRoot, file)));
  const found: string[] = [];
  for (const word of new Set(words)) {
    if (word === '' || word.includes('\0')) continue;
    const path = resolve(projectRoot, word);
    const inside = relative(projectRoot, path);
    if (declared.has(path) || inside.startsWith('..') || isAbsolute(inside)) continue;
    const facts = await stat(path).catch(() => null);
    if (facts?.isFile() === true) found.push(word);
  }
  return found;
}
