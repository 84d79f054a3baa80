/**
 * The immutable records of the store. Each is canonical JSON (RFC 8785) with its type inside; its id is `sha256:`
 * of those bytes.
 * @module
 */
import { z } from 'zod';
import { datasetName, setRoot, sha256Id, tableId } from './ids.ts';

/** What a dataset is for. */
export const role = z.enum(['train', 'eval', 'none']);
export type Role = z.infer<typeof role>;

/** Role of a field in an eval item or a training row. */
const fieldRole = z.enum(['question', 'passage', 'choices', 'answer', 'id']);
export type FieldRole = z.infer<typeof fieldRole>;

/** Which columns play which role, e.g. `{ question: ['qText'], answer: ['answers'] }`. */
export const fieldRoles = z.partialRecord(fieldRole, z.array(z.string()).min(1));
export type FieldRoles = z.infer<typeof fieldRoles>;

/** A table together with the types under which its values are seen. */
const tableRef = z.strictObject({ table: tableId, schema: sha256Id });
export type TableRef = z.infer<typeof tableRef>;

/** A named version's content. No clock and no author: lineage and the journal carry those. */
export const snapshotRecord = z.strictObject({
  type: z.literal('holdout/snapshot@1'),
  table: tableId,
  schema: sha256Id,
  setRoot,
  rows: z.int().nonnegative(),
  role,
  fields: fieldRoles,
  itemsRoot: setRoot.nullable(),
});
export type SnapshotRecord = z.infer<typeof snapshotRecord>;

/** How the line bytes of a JSONL file differ from `lines joined by LF, with a final LF`. */
const lineFixups = z.strictObject({
  bom: z.boolean(),
  finalNewline: z.boolean(),
  /** Zero-based numbers of physical lines that are blank, as [line, text] (text: the blank bytes). */
  blanks: z.array(z.tuple([z.int().nonnegative(), z.string()])),
  /** `lf`, `crlf`, or the sorted physical line numbers that end in CRLF. */
  ends: z.union([z.literal('lf'), z.literal('crlf'), z.array(z.int().nonnegative())]),
});
export type LineFixups = z.infer<typeof lineFixups>;

/** Where the exact bytes of a raw file can be had from. */
const blobBytes = z.discriminatedUnion('kind', [
  /** Rows [firstRow, firstRow + rows) of the table are its lines. */
  z.strictObject({
    kind: z.literal('lines'),
    table: tableId,
    schema: sha256Id,
    firstRow: z.int().nonnegative(),
    rows: z.int().nonnegative(),
    fixups: lineFixups,
  }),
  /** Content-defined chunks in packs, in order: [sha256, bytes]. */
  z.strictObject({ kind: z.literal('chunks'), chunks: z.array(z.tuple([sha256Id, z.int().positive()])) }),
  /** Only the digest is known. */
  z.strictObject({ kind: z.literal('digest') }),
]);
export type BlobBytes = z.infer<typeof blobBytes>;

/** A raw file: what it was, and whether its bytes can be had back. */
export const blobRecord = z.strictObject({
  type: z.literal('holdout/blob@1'),
  sha256: sha256Id,
  bytes: z.int().nonnegative(),
  /** File name without folders. */
  name: z.string(),
  /** For example `jsonl`, `json`, `csv`, `tsv`, `parquet`, `arrow-file`, `arrow-stream`. */
  format: z.string(),
  compression: z.enum(['none', 'gzip', 'zstd']),
  rows: z.int().nonnegative(),
  content: blobBytes,
});
export type BlobRecord = z.infer<typeof blobRecord>;

/** An immutable Parquet file of rows, and its sidecar of row digests (32 bytes a row, in row order). */
export const partRecord = z.strictObject({
  type: z.literal('holdout/part@1'),
  /** `lines`: one VARCHAR column `line`, each a JSON object. `typed`: the schema's columns. */
  kind: z.enum(['lines', 'typed']),
  rows: z.int().positive(),
  /** Uncompressed size of the rows. */
  logicalBytes: z.int().nonnegative(),
  parquet: z.strictObject({ sha256: sha256Id, bytes: z.int().positive() }),
  digests: z.strictObject({ sha256: sha256Id, bytes: z.int().positive() }),
  /** Types of a `typed` part's columns; of a `lines` part the types under which it was made. */
  schema: sha256Id,
});
export type PartRecord = z.infer<typeof partRecord>;

/**
 * An immutable Parquet file of some columns of rows that another part holds the rest of, row by row beside it. No rows
 * in themselves, so without digests.
 */
export const columnsRecord = z.strictObject({
  type: z.literal('holdout/columns@1'),
  rows: z.int().positive(),
  /** Uncompressed size of the columns. */
  logicalBytes: z.int().nonnegative(),
  parquet: z.strictObject({ sha256: sha256Id, bytes: z.int().positive() }),
  /** Names and types of the columns in the file; the layout says what a table calls them. */
  schema: sha256Id,
});
export type ColumnsRecord = z.infer<typeof columnsRecord>;

/** Digests of rows that lie in no one part (32 bytes a row, in row order). */
export const digestsRecord = z.strictObject({
  type: z.literal('holdout/digests@1'),
  rows: z.int().positive(),
  digests: z.strictObject({ sha256: sha256Id, bytes: z.int().positive() }),
});
export type DigestsRecord = z.infer<typeof digestsRecord>;

/** What a derivation reads: a table as seen under a schema, or a raw file. */
const derivationInput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('table'), table: tableId, schema: sha256Id }),
  z.strictObject({ kind: z.literal('file'), sha256: sha256Id, bytes: z.int().nonnegative() }),
  /** A stored record, for example a leak report. */
  z.strictObject({ kind: z.literal('record'), record: sha256Id }),
]);

/** What was asked: its id is the cache key. */
export const derivationRecord = z.strictObject({
  type: z.literal('holdout/derivation@1'),
  transform: z.strictObject({ name: z.string(), version: z.int().positive() }),
  params: z.json(),
  seed: z.int().nullable(),
  inputs: z.array(derivationInput),
  /** Identity of the person's own code that the step runs; absent for built-in steps. */
  code: z.json().optional(),
});
export type DerivationRecord = z.infer<typeof derivationRecord>;

/** What came out, and of what: evidence, never a key. */
export const realisationRecord = z.strictObject({
  type: z.literal('holdout/realisation@1'),
  derivation: sha256Id,
  output: z.strictObject({ table: tableId, schema: sha256Id, setRoot, rows: z.int().nonnegative() }),
  /** Raw files read, as blob records, in order (read steps only). */
  blobs: z.array(sha256Id),
  engine: z.strictObject({ holdout: z.string(), node: z.string(), duckdb: z.string(), unicode: z.string() }),
  counts: z.record(z.string(), z.int().nonnegative()),
  /**
   * Of which row or rows of the inputs, laid end to end, each row of the output was made. `same`: row i of row i. `unknown`:
   * nobody can say. A digest: the file of `origins` that says it. Absent where rows are those of the input, unchanged.
   */
  origins: z.union([z.literal('same'), z.literal('unknown'), sha256Id]).optional(),
  /** Where `origins` is `unknown`: why, in words that hold no value of a row. Absent where the step does not say. */
  whyUnknown: z.string().min(1).max(500).optional(),
  /** Of a step that maps columns: those of the output that are columns of the input as they stand, by name. */
  kept: z.record(z.string(), z.string()).optional(),
  /** What the step found, as stored records: a leak report says why rows went. Absent where it left none. */
  records: z.array(sha256Id).min(1).optional(),
});
export type RealisationRecord = z.infer<typeof realisationRecord>;

/** A step on the way to a version whose output has no name of its own: several steps were taken at once. */
const passedStep = z.strictObject({
  derivation: sha256Id,
  realisation: sha256Id,
  /** Its output, and the layout file that holds it; without one where the rows were dropped before. */
  table: tableId,
  schema: sha256Id,
  layout: sha256Id.optional(),
});
export type PassedStep = z.infer<typeof passedStep>;

const journalBase = {
  type: z.literal('holdout/journal@1'),
  /** 1, 2, 3 … */
  seq: z.int().positive(),
  /** Id of entry seq − 1; null for the first. */
  previous: sha256Id.nullable(),
  /** RFC 3339, UTC. */
  time: z.iso.datetime(),
};

/** One entry of the journal, the store's only mutable thing; the entry is the ref move. */
export const journalEntry = z.discriminatedUnion('op', [
  z.strictObject({ ...journalBase, op: z.literal('init'), holdout: z.string() }),
  z.strictObject({
    ...journalBase,
    op: z.literal('version'),
    name: datasetName,
    /** 1, 2, 3 … of this name. */
    version: z.int().positive(),
    snapshot: sha256Id,
    derivation: sha256Id,
    realisation: sha256Id,
    /** Steps before the version's own, in order, where several were taken at once; absent where there are none. */
    through: z.array(passedStep).min(1).optional(),
    /**
     * Numbers of the entries whose versions the steps read: that of the first input, then for each step the datasets that it
     * names. Of versions with equal rows these are meant. Absent for reading files.
     */
    reads: z.array(z.int().positive()).min(1).optional(),
    /** Where paths in the steps' parameters begin, as sources are written; absent where that is the store's parent folder. */
    folder: z.string().min(1).optional(),
    /**
     * Layout file that holds (table, schema); replaceable by a later `layout` entry. Absent where the rows were dropped before:
     * the entry tells how they came, and they stay dropped.
     */
    layout: sha256Id.optional(),
    /** Where the files were, relative to the store's parent folder where they lie in it. */
    sources: z.array(z.strictObject({ path: z.string(), blob: sha256Id })),
    /** Folders and patterns that files were named by, as the sources are written; absent where each file was named. */
    given: z.array(z.string()).min(1).optional(),
  }),
  /** Another layout for the same (table, schema). */
  z.strictObject({ ...journalBase, op: z.literal('layout'), table: tableId, schema: sha256Id, layout: sha256Id }),
  /** The rows of (table, schema) are no longer kept: they are made again, and checked, when they are read. */
  z.strictObject({ ...journalBase, op: z.literal('drop'), table: tableId, schema: sha256Id }),
  z.strictObject({ ...journalBase, op: z.literal('report'), report: sha256Id }),
  z.strictObject({ ...journalBase, op: z.literal('pin'), pin: sha256Id }),
]);
export type JournalEntry = z.infer<typeof journalEntry>;
