/**
 * The built-in steps, as the CLI hands them to the runner.
 * @module
 */
import type { Transform } from '../src/lineage/transform.ts';
import { cast } from './cast.ts';
import { cleanText } from './clean-text.ts';
import { command } from './command.ts';
import { concat } from './concat.ts';
import { decontaminate } from './decontaminate.ts';
import { dedupe } from './dedupe.ts';
import { derive } from './derive.ts';
import { drop } from './drop.ts';
import { explode } from './explode.ts';
import { filter } from './filter.ts';
import { fromChat } from './from-chat.ts';
import { head } from './head.ts';
import { join } from './join.ts';
import { length } from './length.ts';
import { limitPerGroup } from './limit-per-group.ts';
import { maskPii } from './mask-pii.ts';
import { mixture } from './mixture.ts';
import { module } from './module.ts';
import { nearDedupe } from './near-dedupe.ts';
import { perturb } from './perturb.ts';
import { quality } from './quality.ts';
import { remove } from './remove.ts';
import { rename } from './rename.ts';
import { render } from './render.ts';
import { sample } from './sample.ts';
import { select } from './select.ts';
import { shuffle } from './shuffle.ts';
import { skip } from './skip.ts';
import { sort } from './sort.ts';
import { split } from './split.ts';
import { sql } from './sql.ts';
import { template } from './template.ts';
import { toChat } from './to-chat.ts';

export { remove };

/** Every built-in step. A version once published stays here, or its lineage could not be replayed. */
export const builtInTransforms: readonly Transform[] = [
  filter,
  length,
  quality,
  dedupe,
  nearDedupe,
  sample,
  shuffle,
  split,
  limitPerGroup,
  sort,
  head,
  skip,
  remove,
  decontaminate,
  select,
  drop,
  rename,
  cast,
  derive,
  cleanText,
  maskPii,
  render,
  toChat,
  fromChat,
  concat,
  sql,
  module,
  command,
  mixture,
  explode,
  template,
  perturb,
  join,
];
