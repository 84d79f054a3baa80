// Commits versions to a store until it is killed or has committed enough; prints a line for each that is acknowledged.
// Arguments: folder of the store, a word that tells writers apart, how many versions.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Store } from '../../dist/src/store/store.js';

const [root, word, count] = process.argv.slice(2);
const now = new Date();
const facts = { holdoutVersion: '0.0.0-test', now };
console.log('starting');
const store = existsSync(`${root}/config.json`) ? await Store.open(root) : await Store.init(root, facts);
const zeros = '0'.repeat(64);

async function putBytes(kind, bytes) {
  const path = await store.tempPath();
  await writeFile(path, bytes);
  return store.putFile(kind, path);
}

async function* once(bytes) {
  yield await Promise.resolve(bytes);
}

for (let i = 0; i < Number(count); i += 1) {
  const content = `${word} ${process.pid} ${i}`;
  const schema = await store.putRecord({ type: 'holdout/schema@1', columns: [{ name: content, type: 'VARCHAR' }] });
  const parquet = await putBytes('part', Buffer.alloc(300_000, content));
  const digests = await putBytes('digests', content);
  const part = await store.putRecord({
    type: 'holdout/part@1',
    kind: 'lines',
    rows: 1,
    logicalBytes: 1,
    parquet: { sha256: parquet.id, bytes: parquet.bytes },
    digests: { sha256: digests.id, bytes: digests.bytes },
    schema,
  });
  const layout = await putBytes('layout', part);
  const table = `holdout-table-v1:${schema.slice(7)}`;
  const setRoot = `holdout-set-v1:${zeros}`;
  const snapshot = await store.putRecord({
    type: 'holdout/snapshot@1',
    table,
    schema,
    setRoot,
    rows: 1,
    role: 'train',
    fields: {},
    itemsRoot: null,
  });
  const { chunks } = await store.putChunks(once(Buffer.alloc(100_000, `raw ${content}`)));
  const blob = await store.putRecord({
    type: 'holdout/blob@1',
    sha256: `sha256:${zeros}`,
    bytes: 100_000,
    name: 'rows.jsonl',
    format: 'jsonl',
    compression: 'none',
    rows: 1,
    content: { kind: 'chunks', chunks },
  });
  const derivation = await store.putRecord({
    type: 'holdout/derivation@1',
    transform: { name: 'read', version: 1 },
    params: {},
    seed: null,
    inputs: [],
  });
  const realisation = await store.putRecord({
    type: 'holdout/realisation@1',
    derivation,
    output: { table, schema, setRoot, rows: 1 },
    blobs: [blob],
    engine: { holdout: '0', node: '0', duckdb: '0', unicode: '0' },
    counts: {},
  });
  const entry = await store.commit(
    (state) => ({
      op: 'version',
      name: 'rows',
      version: (state.names.get('rows')?.length ?? 0) + 1,
      snapshot,
      derivation,
      realisation,
      layout: layout.id,
      sources: [{ path: content, blob }],
    }),
    now,
  );
  console.log(`committed ${entry.version} ${snapshot}`);
}
await store.close();
