/**
 * Steps by the name that people write: `filter` is `holdout/filter`, of its newest version; `filter@1` is that version.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import type { Transform } from './transform.ts';

const builtInPrefix = 'holdout/';

/** The name of a step as people write it: `filter` is `holdout/filter`. */
export function shortStepName(name: string): string {
  return name.startsWith(builtInPrefix) ? name.slice(builtInPrefix.length) : name;
}

/**
 * The step of this name: the version that the name ends in, else `version` where there is one, else the newest.
 * @throws HoldoutError NOT_FOUND with the nearest name.
 */
export function findStep(name: string, transforms: readonly Transform[], version: number | null = null): Transform {
  const [, plain = name, asked] = /^(.+)@([1-9][0-9]{0,8})$/.exec(name) ?? [];
  const ofName = transforms
    .filter((each) => shortStepName(each.name) === shortStepName(plain))
    .toSorted((a, b) => b.version - a.version);
  const wanted = asked === undefined ? version : Number(asked);
  const found = ofName.find((each) => each.version === wanted) ?? (asked === undefined ? ofName[0] : undefined);
  if (found !== undefined) return found;
  const [newest] = ofName;
  if (newest !== undefined) {
    throw new HoldoutError('NOT_FOUND', `there is no version ${asked} of step "${plain}"`, {
      hint: `its newest version is ${newest.version}`,
    });
  }
  const near = nearestName(
    shortStepName(plain),
    transforms.map((each) => shortStepName(each.name)),
  );
  throw new HoldoutError('NOT_FOUND', `there is no step "${name}"`, {
    hint: near === null ? '`holdout transforms` lists the steps' : `did you mean ${near}?`,
  });
}
