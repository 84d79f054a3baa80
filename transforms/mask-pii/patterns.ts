/**
 * Patterns that a person wrote, run by the engine's regular expressions (RE2), whose time is linear in the text whatever
 * the pattern.
 * @module
 */
import { z } from 'zod';
import type { Column } from '../../schemas/table-schema.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { HoldoutError } from '../../src/errors.ts';
import { quoteIdentifier, quoteString } from '../../src/identity/sql-text.ts';
import type { BesideSql } from '../texts/map-texts.ts';

const patternCharactersMax = 10_000;

/** A pattern as a parameter. */
export const pattern = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'expected a name of a-z, 0-9 and -'),
  regex: z.string().min(1).max(patternCharactersMax),
  replace: z
    .string()
    .max(1000)
    .regex(/^(?:[^\\]|\\[0-9\\])*$/, 'after a backslash stands a group, 0 to 9, or a backslash'),
});
export type Pattern = z.infer<typeof pattern>;

/**
 * Checks that the engine takes the patterns.
 * @throws HoldoutError `USAGE` for one that is none, that matches nothing at all, or has no such group.
 */
export async function checkPatterns(engine: Engine, patterns: readonly Pattern[]): Promise<void> {
  for (const { name, regex, replace } of patterns) {
    const probe = `SELECT len(regexp_extract_all('a b', ${text(regex)})) + len(regexp_extract_all('', ${text(regex)}))`;
    const empty = `SELECT list_contains(regexp_extract_all('a b', ${text(regex)}), '') OR regexp_full_match('', ${text(regex)})`;
    try {
      await engine.value(probe);
    } catch (error) {
      if (!(error instanceof HoldoutError) || error.code !== 'INPUT_INVALID') throw error;
      throw new HoldoutError('USAGE', `pattern "${name}": ${error.message.replace(/^[A-Za-z ]+ Error: /, '')}`, {
        hint: 'patterns are regular expressions of RE2: without backreferences and look-around',
        cause: error,
      });
    }
    if (await engine.value<boolean>(empty)) {
      throw new HoldoutError('USAGE', `pattern "${name}" matches where there is nothing`);
    }
    const groups = [...replace.matchAll(/\\(\\|\d)/g)].map(([, group]) => (group === '\\' ? 0 : Number(group)));
    const [most, has] = [Math.max(0, ...groups), groupCount(regex)];
    if (most > has) throw new HoldoutError('USAGE', `pattern "${name}" has no group ${most} for "\\${most}"`);
  }
}

/** For each column its text with all patterns replaced, and how often each was: `2,0`, or '' for not at all. */
export function patternSql(patterns: readonly Pattern[]): BesideSql {
  return ({ name }: Column) => {
    let value = quoteIdentifier(name);
    const counts: string[] = [];
    for (const { regex, replace } of patterns) {
      counts.push(`len(regexp_extract_all(${value}, ${text(regex)}))`);
      value = `regexp_replace(${value}, ${text(regex)}, ${text(replace)}, 'g')`;
    }
    const sum = counts.join(' + ');
    return [value, `CASE WHEN ${sum} = 0 THEN '' ELSE concat_ws(',', ${counts.join(', ')}) END`];
  };
}

function text(value: string): string {
  try {
    return quoteString(value);
  } catch (cause) {
    throw new HoldoutError('USAGE', 'a pattern cannot hold a NUL character or half of a character', { cause });
  }
}

/** How many groups a pattern captures. */
function groupCount(regex: string): number {
  const plain = regex
    .replaceAll(/\\Q.*?(?:\\E|$)/gs, '')
    .replaceAll(/\\./gs, '')
    .replaceAll(/\[\^?\]?[^\]]*\]/g, '');
  return plain.match(/\((?!\?)|\(\?P?</g)?.length ?? 0;
}
