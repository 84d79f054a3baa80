/**
 * Options whose values have a form of their own, read once.
 * @module
 */
import type { FieldRole, FieldRoles, Role } from '../schemas/records.ts';
import { HoldoutError } from '../src/errors.ts';
import type { SourceFormat } from '../src/tables/read/read-table-types.ts';
import { nearestName } from './text.ts';

const fieldRoleNames: readonly FieldRole[] = ['question', 'passage', 'choices', 'answer', 'id'];
const formatNames: readonly SourceFormat[] = ['jsonl', 'json', 'csv', 'tsv', 'parquet', 'arrow-file', 'arrow-stream'];
const roleNames: readonly Role[] = ['train', 'eval', 'none'];

/**
 * Reads `question=prompt,answer=gold`; a role named twice takes both columns, `\,` stands for a comma in a name.
 * @throws HoldoutError USAGE.
 */
export function parseFields(values: readonly string[]): FieldRoles | undefined {
  if (values.length === 0) return undefined;
  const roles = new Map<FieldRole, string[]>();
  for (const pair of values.flatMap((value) => value.split(/(?<!\\),/))) {
    const [role = '', ...rest] = pair.replaceAll('\\,', ',').split('=');
    const column = rest.join('=');
    const known = fieldRoleNames.find((name) => name === role.trim());
    if (known === undefined || column === '') {
      const near = nearestName(role.trim(), fieldRoleNames);
      throw new HoldoutError('USAGE', `--fields: "${pair}" is not ROLE=COLUMN`, {
        hint:
          known === undefined && near !== null
            ? `did you mean ${near}=…?`
            : `roles are ${fieldRoleNames.join(', ')}, for example --fields question=prompt,answer=gold`,
      });
    }
    roles.set(known, [...(roles.get(known) ?? []), column]);
  }
  return Object.fromEntries(roles);
}

/** Roles as `question=prompt, answer=gold`, in the order of their weight. */
export function formatFields(fields: FieldRoles): string {
  return fieldRoleNames
    .flatMap((role) => (fields[role] === undefined ? [] : [`${role}=${fields[role].join('+')}`]))
    .join(', ');
}

/** Reads `--role`. @throws HoldoutError USAGE. */
export function parseRole(value: string | undefined): Role | undefined {
  if (value === undefined) return undefined;
  const role = roleNames.find((name) => name === value);
  if (role !== undefined) return role;
  throw new HoldoutError('USAGE', `--role takes ${roleNames.join(', ')}, got "${value}"`);
}

/** Reads `--format`. @throws HoldoutError USAGE. */
export function parseFormat(value: string | undefined): SourceFormat | undefined {
  if (value === undefined) return undefined;
  const format = formatNames.find((name) => name === value);
  if (format !== undefined) return format;
  throw new HoldoutError('USAGE', `--format takes ${formatNames.join(', ')}, got "${value}"`);
}

/** Reads a count. @throws HoldoutError USAGE. */
export function parseCount(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const count = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(count)) return count;
  throw new HoldoutError('USAGE', `${option} takes a whole number, got "${value}"`);
}

/** A score as `eval:metric=value`. @throws HoldoutError USAGE. */
export function parseScore(text: string): { readonly eval: string; readonly metric: string; readonly value: number } {
  const match = /^([^:=]+):([^=]+)=\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*$/.exec(text);
  const metric = match?.[2]?.trim() ?? '';
  const value = Number(match?.[3] ?? Number.NaN);
  if (match === null || metric === '' || !Number.isFinite(value)) {
    throw new HoldoutError('USAGE', `--score takes EVAL:METRIC=NUMBER, got "${text}"`, {
      hint: 'for example --score gsm8k:exact_match=0.61',
    });
  }
  return { eval: match[1]?.trim() ?? '', metric, value };
}
