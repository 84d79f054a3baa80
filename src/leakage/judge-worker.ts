/**
 * Worker thread of the confirmation: judges rows by what it found in those that it was given before.
 * @module
 */
import { answerTasks } from '../worker-pool.ts';
import { Judge, type JudgedPair, type RowsToJudge } from './judge.ts';
import { type SharedIndex, openIndex } from './share-index.ts';
import { Tally } from './tally.ts';

answerTasks((index) => {
  const judge = new Judge(openIndex(index as SharedIndex), new Tally());
  return (rows: RowsToJudge): readonly JudgedPair[] => [...judge.judge(rows)].flatMap(({ judged }) => judged);
});
