/**
 * Every type of record that the store keeps, told apart by the type inside.
 * @module
 */
import { z } from 'zod';
import { leakReport } from '../../schemas/leak-report.ts';
import type { LeakReport } from '../../schemas/leak-report.ts';
import { pinRecord } from '../../schemas/pin.ts';
import type { PinRecord } from '../../schemas/pin.ts';
import {
  blobRecord,
  columnsRecord,
  derivationRecord,
  digestsRecord,
  partRecord,
  realisationRecord,
  snapshotRecord,
} from '../../schemas/records.ts';
import type {
  BlobRecord,
  ColumnsRecord,
  DerivationRecord,
  DigestsRecord,
  PartRecord,
  RealisationRecord,
  SnapshotRecord,
} from '../../schemas/records.ts';
import { tableSchema } from '../../schemas/table-schema.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { problemsText } from '../value-problems.ts';

/** A record of any type that the store keeps. */
export type StoredRecord =
  | SnapshotRecord
  | BlobRecord
  | PartRecord
  | ColumnsRecord
  | DigestsRecord
  | DerivationRecord
  | RealisationRecord
  | TableSchema
  | PinRecord
  | LeakReport;

const schemasByType: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  ['holdout/snapshot@1', snapshotRecord],
  ['holdout/blob@1', blobRecord],
  ['holdout/part@1', partRecord],
  ['holdout/columns@1', columnsRecord],
  ['holdout/digests@1', digestsRecord],
  ['holdout/derivation@1', derivationRecord],
  ['holdout/realisation@1', realisationRecord],
  ['holdout/schema@1', tableSchema],
  ['holdout/pin@1', pinRecord],
  ['holdout/leak-report@1', leakReport],
]);

/** The type that a record says it is of, or null. */
export function typeOfRecord(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null;
  // A leak report is also a published format, whose mark is `format`.
  const type = 'type' in value ? value.type : 'format' in value ? value.format : null;
  return typeof type === 'string' ? type : null;
}

/** Checks a value as a record of the type that it names; the answer is the problem in words, or null. */
export function problemOfRecord(value: unknown): string | null {
  const type = typeOfRecord(value);
  const schema = type === null ? undefined : schemasByType.get(type);
  if (schema === undefined) return `unknown type ${JSON.stringify(type)}`;
  return schema.safeParse(value).success ? null : problemsText(schema, value, 'the record');
}
