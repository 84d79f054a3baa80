/**
 * The table of commands, which is all that `--help` loads: actions are loaded when called.
 * @module
 */
import type { CommandSpec } from './command-spec.ts';
import { check, pin, remove } from './command-specs/leaks.ts';
import { lineage, reproduce, trace, why } from './command-specs/lineage.ts';
import { compact, drop } from './command-specs/space.ts';
import { run, transform, transforms } from './command-specs/steps.ts';
import {
  add,
  cat,
  diff,
  exportVersion,
  id,
  init,
  log,
  ls,
  show,
  sql,
  status,
  verify,
} from './command-specs/versions.ts';

/** Every command, in the order in which help lists them. */
export const commands: readonly CommandSpec[] = [
  check,
  id,
  init,
  add,
  ls,
  log,
  show,
  status,
  diff,
  cat,
  sql,
  exportVersion,
  verify,
  run,
  transform,
  transforms,
  remove,
  pin,
  lineage,
  trace,
  why,
  drop,
  compact,
  reproduce,
];
