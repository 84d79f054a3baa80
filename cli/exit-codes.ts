/**
 * Exit statuses: one table, printed in README and at the end of every `--help`. Scripts and CI rely on them.
 * @module
 */
import type { ErrorCode } from '../src/errors.ts';

/** What a run of `holdout` ended in. */
export const exitStatus = {
  /** Done; clean; the same; intact. */
  ok: 0,
  /** The answer is the bad one: a leak, a difference, damage, not reproduced. */
  found: 1,
  /** Bad usage or bad input; nothing was changed, but a pipeline keeps what was finished before. */
  usage: 2,
  /** Incomplete, or cannot tell. */
  cannotTell: 3,
  /** Not deterministic: a step gave two results, or cannot be expected to give its output again, which is gone. */
  notDeterministic: 4,
  /** Operating failure: I/O, or a store that is absent, unreadable or corrupt. */
  failure: 5,
  /** Interrupted by the user (128 + SIGINT). */
  interrupted: 130,
  /** Ended by the system or another program (128 + SIGTERM). */
  terminated: 143,
} as const;

/** One line for each status, as help and README print them. */
export const exitMeaning: readonly (readonly [status: number, meaning: string])[] = [
  [exitStatus.ok, 'done; clean; the same; intact; holds'],
  [exitStatus.found, 'the answer is no: a leak, a difference, damage, a pin that does not hold, an id not reproduced'],
  [exitStatus.usage, 'bad usage or bad input; nothing was changed, but `run` keeps the datasets finished before'],
  [
    exitStatus.cannotTell,
    'cannot tell: the check is incomplete, rows could not be recomputed, or a pin or a rebuild lacks something',
  ],
  [
    exitStatus.notDeterministic,
    'not deterministic: a step gave two results, or cannot give its output again, and that output is gone',
  ],
  [
    exitStatus.failure,
    'the machine or the store failed: I/O, disk full, or a store that is absent, unreadable or damaged',
  ],
  [exitStatus.interrupted, 'interrupted'],
  [exitStatus.terminated, 'ended by another program or the system: SIGTERM'],
];

/** Error code → exit status. */
export const exitStatusOf: Readonly<Record<ErrorCode, number>> = {
  USAGE: exitStatus.usage,
  INPUT_INVALID: exitStatus.usage,
  NOT_FOUND: exitStatus.usage,
  CONFLICT: exitStatus.usage,
  LIMIT: exitStatus.usage,
  NOT_DETERMINISTIC: exitStatus.notDeterministic,
  STORE_UNUSABLE: exitStatus.failure,
  STORE_CORRUPT: exitStatus.failure,
  IO: exitStatus.failure,
  INTERRUPTED: exitStatus.interrupted,
};
