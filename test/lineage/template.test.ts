import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TableSchema } from '../../dist/schemas/table-schema.js';
import type { Engine } from '../../dist/src/engine/engine.js';
import { type TemplateNulls, parseTemplate, templateSql } from '../../dist/src/lineage/template.js';
import { openStoreEngine } from '../../dist/src/snapshots/store-engine.js';
import { Workspace } from '../snapshots/workspace.js';

let workspace: Workspace;
let engine: Engine;
beforeAll(async () => {
  workspace = await Workspace.make();
  engine = await openStoreEngine(workspace.store, { threads: 1 });
});
afterAll(async () => {
  await engine.close();
  await workspace.remove();
});

const schema: TableSchema = {
  type: 'holdout/schema@1',
  columns: [
    { name: 'text', type: 'VARCHAR' },
    { name: 'n', type: 'BIGINT' },
    { name: 'd', type: 'DOUBLE' },
    { name: 'none', type: 'VARCHAR' },
    { name: 'tags', type: { list: 'VARCHAR' } },
    { name: 'day', type: 'DATE' },
    { name: 'any', type: 'JSON' },
    { name: 'chat', type: { struct: [{ name: 'role', type: 'VARCHAR' }] } },
    { name: 'a.b', type: 'VARCHAR' },
    { name: 'sum', type: { decimal: [10, 2] } },
  ],
};
const row = `SELECT 'it''s {x} 🐢' AS text, 12 AS n, 5::DOUBLE AS d, NULL::VARCHAR AS none, ['x', NULL] AS tags,
  DATE '2024-01-31' AS day, '"a \\"word\\""'::JSON AS "any", {'role': 'user'} AS chat, 'dot' AS "a.b",
  1.5::DECIMAL(10, 2) AS sum`;
const render = async (template: string, nulls: TemplateNulls = 'empty'): Promise<string | null> =>
  engine.value<string | null>(`SELECT ${templateSql(template, schema, nulls)} FROM (${row})`);

describe('a template', () => {
  it.each([
    ['Q: {text}\nA: {n}', "Q: it's {x} 🐢\nA: 12"],
    ['{{"role": "{chat.role}"}}', '{"role": "user"}'],
    ['{d} {day} {sum} {a.b}', '5 2024-01-31 1.50 dot'],
    ['{tags} {chat} {any}', '["x",null] {"role":"user"} a "word"'],
    ["'; DROP TABLE x; -- {none}.", "'; DROP TABLE x; -- ."],
    ['', ''],
  ])('%j becomes %j', async (template, text) => {
    expect(await render(template)).toBe(text);
  });

  it('is null as a whole where a value is null, if that is asked for', async () => {
    expect(await render('a {none}', 'whole')).toBeNull();
    expect(await render('a {n}', 'whole')).toBe('a 12');
  });

  it.each([
    ['a {b', '"{" stands alone at character 3; write "{{" for a brace'],
    ['a\n🐢}b', '"}" stands alone in line 2, at character 2'],
    ['{a {b}}', '"{" stands alone at character 1'],
    ['{}', '"{}" names no column at character 1'],
    ['\0', 'NUL'],
  ])('refuses %j: %s', (template, says) => {
    expect(() => parseTemplate(template)).toThrow(says);
  });

  it.each([
    ['{txt}', 'no column "txt"'],
    ['{chat.roll}', 'no column "roll"'],
    ['{n.x}', '"n" holds BIGINT, which has no fields'],
  ])('refuses %s: %s', (template, says) => {
    expect(() => templateSql(template, schema, 'empty')).toThrow(says);
  });
});
