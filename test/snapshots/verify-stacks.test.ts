import { chmod, readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { columnsRecord } from '../../dist/schemas/records.js';
import { tableSchema } from '../../dist/schemas/table-schema.js';
import { identifyDigests } from '../../dist/src/lineage/select-rows.js';
import { layoutBytes } from '../../dist/src/snapshots/stored-size.js';
import { verifyStore } from '../../dist/src/snapshots/verify.js';
import { isWhole } from '../../dist/src/tables/layout.js';
import type { Layout } from '../../dist/src/tables/layout.js';
import { composeLayout } from '../../dist/src/tables/layout-builder.js';
import { readLayout } from '../../dist/src/tables/stored-parts.js';
import { computeColumns } from '../../dist/src/tables/write-columns.js';
import { putLayout } from '../../dist/src/tables/write-table.js';
import { chatRows, Workspace } from './workspace.ts';

/** A version `mapped` whose scores are doubled, of every other row, journalled over this layout or another. */
async function addMapped(space: Workspace, change: (layout: Layout) => Promise<Layout>): Promise<Layout> {
  const { store } = space;
  const { entry, record } = await space.version('chat');
  const schema = await store.getRecord(record.schema, tableSchema);
  const half = composeLayout(await readLayout(store, entry.layout!), { bitmap: new Uint8Array(25).fill(0x55) });
  const kept = new Map(schema.columns.flatMap(({ name }) => (name === 'score' ? [] : [[name, name] as const])));
  const computed = [{ name: 'score', sql: 'score * 2' }];
  const { layout, digests } = await space.engine((engine) =>
    computeColumns(store, engine, { layout: half, input: schema, output: schema, kept, computed }),
  );
  const { id } = await putLayout(store, await change(layout));
  const snapshot = await store.putRecord({ ...record, ...identifyDigests(digests), itemsRoot: null });
  const { derivation, realisation } = entry;
  const draft = { op: 'version' as const, name: 'mapped', version: 1, snapshot, derivation, realisation, layout: id };
  await store.commit(() => ({ ...draft, sources: [] }), new Date());
  expect(await layoutBytes(store, id)).toBeGreaterThan(0);
  return layout;
}

const verify = (space: Workspace) => space.engine((engine) => verifyStore(space.store, { readData: true, engine }));

async function withChat(use: (space: Workspace) => Promise<void>): Promise<void> {
  const space = await Workspace.make();
  try {
    await space.add('chat', await space.write('chat.jsonl', chatRows(200).join('\n')));
    await use(space);
  } finally {
    await space.remove();
  }
}

it('a table of mapped columns is verified, and a byte flipped in its columns is found', () =>
  withChat(async (space) => {
    const layout = await addMapped(space, (same) => Promise.resolve(same));
    expect(await verify(space)).toMatchObject({ ok: true, rows: 300 });
    const [part] = layout.parts;
    if (part === undefined || isWhole(part)) throw new Error('no stack');
    const { parquet } = await space.store.getRecord(part.sources[1]!.id, columnsRecord);
    const path = space.store.filePath('part', parquet.sha256);
    const bytes = await readFile(path);
    bytes[100]! ^= 1;
    await chmod(path, 0o644);
    await writeFile(path, bytes);
    const { ok, damages } = await verify(space);
    expect(ok).toBe(false);
    expect(damages).toMatchObject([{ kind: 'part', id: parquet.sha256, touches: ['mapped@1'] }]);
  }));

it('columns of other rows beside a part are found by reading the data', () =>
  withChat(async (space) => {
    const { store } = space;
    await addMapped(space, async (layout) => {
      const [part] = layout.parts;
      if (part === undefined || isWhole(part)) throw new Error('no stack');
      // The scores as they were: whole in themselves, of the right number, and not what the digests say.
      const [rest, score] = part.sources;
      expect(await store.getRecord(score!.id, columnsRecord)).toMatchObject({ rows: 200 });
      const before = { ...rest!, columns: [...rest!.columns, ['score', 'score'] as const] };
      return { ...layout, parts: [{ rows: part.rows, sources: [before] }] };
    });
    const { ok, damages } = await verify(space);
    expect(ok).toBe(false);
    expect(damages).toMatchObject([{ kind: 'layout', touches: ['mapped@1'] }]);
  }));
