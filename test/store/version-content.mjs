// What a version needs, made up: for the tests of the store, and for the writer that runs as a process of its own.
import { writeFile } from 'node:fs/promises';

const hex = (n) => n.toString(16).padStart(64, '0');

async function* once(bytes) {
  yield await Promise.resolve(bytes);
}

export async function putBytes(store, kind, bytes) {
  const path = await store.tempPath();
  await writeFile(path, bytes);
  return store.putFile(kind, path);
}

export async function putVersionOf(
  store,
  { word, parquet: parquetBytes, digests: digestBytes, raw, source = 'rows.jsonl' },
) {
  const schema = await store.putRecord({ type: 'holdout/schema@1', columns: [{ name: word, type: 'VARCHAR' }] });
  const parquet = await putBytes(store, 'part', parquetBytes);
  const digests = await putBytes(store, 'digests', digestBytes);
  const part = await store.putRecord({
    type: 'holdout/part@1',
    kind: 'lines',
    rows: 1,
    logicalBytes: 1,
    parquet: { sha256: parquet.id, bytes: parquet.bytes },
    digests: { sha256: digests.id, bytes: digests.bytes },
    schema,
  });
  const layout = await putBytes(store, 'layout', part);
  const table = `holdout-table-v1:${schema.slice(7)}`;
  const setRoot = `holdout-set-v1:${hex(1)}`;
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
  const derivation = await store.putRecord({
    type: 'holdout/derivation@1',
    transform: { name: 'read', version: 1 },
    params: {},
    seed: null,
    inputs: [],
  });
  const { chunks } = await store.putChunks(once(Buffer.from(raw)));
  const blob = await store.putRecord({
    type: 'holdout/blob@1',
    sha256: `sha256:${hex(2)}`,
    bytes: 1,
    name: 'rows.jsonl',
    format: 'jsonl',
    compression: 'none',
    rows: 1,
    content: { kind: 'chunks', chunks },
  });
  const realisation = await store.putRecord({
    type: 'holdout/realisation@1',
    derivation,
    output: { table, schema, setRoot, rows: 1 },
    blobs: [blob],
    engine: { holdout: '0', node: '0', duckdb: '0', unicode: '0' },
    counts: {},
  });
  return (state) => ({
    op: 'version',
    name: 'rows',
    version: (state.names.get('rows')?.length ?? 0) + 1,
    snapshot,
    derivation,
    realisation,
    layout: layout.id,
    sources: [{ path: source, blob }],
  });
}
