/**
 * Identifiers as they are written: one strict pattern each, checked at every boundary.
 * @module
 */
import { z } from 'zod';

const hex64 = '[0-9a-f]{64}';

/** `sha256:` and 64 lower-case hex digits: the id of a record or the digest of a file. */
export const sha256Id = z
  .string()
  .regex(new RegExp(`^sha256:${hex64}$`))
  .brand<'Sha256Id'>();
/** Root of a table in its row order (docs/FORMAT.md, "Table id"). */
export const tableId = z
  .string()
  .regex(new RegExp(`^holdout-table-v1:${hex64}$`))
  .brand<'TableId'>();
/** Root of a table's rows as a multiset (docs/FORMAT.md, "Set root"). */
export const setRoot = z
  .string()
  .regex(new RegExp(`^holdout-set-v1:${hex64}$`))
  .brand<'SetRoot'>();

export type Sha256Id = z.infer<typeof sha256Id>;
export type TableId = z.infer<typeof tableId>;
export type SetRoot = z.infer<typeof setRoot>;

/** Name of a dataset: a letter or digit, then letters, digits, `.`, `_`, `-`; no `@`, no `/`. */
export const datasetName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'a name has letters, digits, ".", "_" and "-", at most 128');
