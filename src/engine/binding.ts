/**
 * Loads DuckDB when the first engine is opened, not before: its import alone takes 100 ms.
 * @module
 */
import { keepByteOrderMarks } from './exact-text.ts';

/** The binding's module. */
export type Binding = typeof import('@duckdb/node-api');

let loading: Promise<Binding> | undefined;

/** The binding, loaded at the first call. */
export function loadBinding(): Promise<Binding> {
  loading ??= import('@duckdb/node-api').then((binding) => {
    keepByteOrderMarks();
    return binding;
  });
  return loading;
}
