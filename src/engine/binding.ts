/**
 * Loads DuckDB when the first engine is opened, not before: that alone takes 50 ms.
 * @module
 */
import { createRequire } from 'node:module';
import { keepByteOrderMarks } from './exact-text.ts';

/** The binding's module. */
export type Binding = typeof import('@duckdb/node-api');

let loaded: Binding | undefined;

/**
 * The binding, loaded at the first call. It is CommonJS of some sixty files: `import` would parse each of them a second
 * time for the names that it exports, which takes twice as long as `require`.
 */
export function loadBinding(): Binding {
  if (loaded === undefined) {
    loaded = createRequire(import.meta.url)('@duckdb/node-api') as Binding;
    keepByteOrderMarks();
  }
  return loaded;
}
