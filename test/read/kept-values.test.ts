import { compressionRegistry, CompressionType, Int64, Table, Utf8, vectorFromArray } from 'apache-arrow';
import { expect, test } from 'vitest';
import { tableToIPC, useWorkplace } from './files.ts';

const place = useWorkplace();

test('Parquet values that other readers change are kept: 128-bit integers, enums, seconds, fixed arrays', async () => {
  const path = await place.parquet(
    'a.parquet',
    `SELECT 12345678901234567890123456789012345678::DECIMAL(38, 0) AS big, 'a'::ENUM('a', 'b') AS e,
      TIMESTAMP_S '2024-01-01 00:00:01' AS s, [1, 2]::INTEGER[2] AS f, '{"b":1,"a":[1e2]}'::JSON AS j, chr(65279) || 'x' AS t`,
  );
  const table = await place.read(path);
  expect(table.schema.columns.map(({ type }) => type)).toEqual([
    { decimal: [38, 0] },
    'VARCHAR',
    'TIMESTAMP',
    { list: 'INTEGER' },
    'JSON',
    'VARCHAR',
  ]);
  const lines = await place.read(
    await place.write(
      'a.jsonl',
      '{"big":12345678901234567890123456789012345678,"e":"a","f":[1,2],"j":{"a":[100],"b":1},"t":"\ufeffx"}\n',
    ),
  );
  const same = await place.read(
    await place.parquet(
      'c.parquet',
      `SELECT 12345678901234567890123456789012345678::DECIMAL(38, 0) AS big, 'a' AS e, [1, 2] AS f, '{"a":[100],"b":1}'::JSON AS j, chr(65279) || 'x' AS t`,
    ),
  );
  expect(same.table).toBe(lines.table);
});

test('compressed Arrow buffers are read', async () => {
  const { RecordBatchStreamWriter } = await import('apache-arrow');
  const { createRequire } = await import('node:module');
  const lz4 = createRequire(import.meta.url)('lz4js') as {
    compress(data: Uint8Array): Uint8Array;
    decompress(data: Uint8Array): Uint8Array;
  };
  compressionRegistry.set(CompressionType.LZ4_FRAME, {
    encode: (data) => lz4.compress(data).slice(),
    decode: (data) => lz4.decompress(data).slice(),
  });
  const values = Array.from({ length: 5000 }, (_, i) => `value ${i % 10}`);
  const table = new Table({
    a: vectorFromArray(values, new Utf8()),
    b: vectorFromArray(
      values.map((_, i) => BigInt(i)),
      new Int64(),
    ),
  });
  const writer = new RecordBatchStreamWriter({ compressionType: CompressionType.LZ4_FRAME });
  for (const batch of table.batches) writer.write(batch);
  writer.finish();
  const bytes = writer.toUint8Array(true);
  expect(bytes.length).toBeLessThan(tableToIPC(table, 'stream').length / 2);
  const plain = await place.read(await place.write('a.arrow', tableToIPC(table, 'stream')));
  expect((await place.read(await place.write('b.arrow', bytes))).table).toBe(plain.table);
});
