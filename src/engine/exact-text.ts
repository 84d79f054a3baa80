/**
 * Makes the binding hand text over exactly. It decodes strings with one shared `TextDecoder`, which swallows a leading
 * U+FEFF; that decoder is an export of an inner module of the (exactly pinned) package, so it is exchanged for one that
 * keeps every character. `test/engine` holds this against a new release of the binding.
 * @module
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Exchanges the binding's decoder; to be called once, after the binding was loaded. */
export function keepByteOrderMarks(): void {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('@duckdb/node-api'));
  const accessors = require(join(folder, 'vectors', 'dataAccessors.js')) as { textDecoder?: unknown };
  if (!(accessors.textDecoder instanceof TextDecoder)) {
    throw new TypeError('@duckdb/node-api no longer keeps its decoder where it was: text would not be exact');
  }
  accessors.textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
}
