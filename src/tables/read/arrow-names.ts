/**
 * Makes the Arrow library hand field names over exactly. It decodes them so that a leading U+FEFF is swallowed, and two
 * tables of different columns would be one; so the accessor of the schema's fields is exchanged for one that decodes the
 * bytes themselves. `test/read` holds this against a new release of the library.
 * @module
 */
import { Field } from 'apache-arrow/fb/field';

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** What the accessor takes where bytes are asked for (flatbuffers' `Encoding.UTF8_BYTES`). */
const asBytes = 1;

let exchanged = false;

/** Exchanges the accessor, once. */
export function keepFieldNames(): void {
  if (exchanged) return;
  exchanged = true;
  const accessors = Field.prototype as {
    name: (this: object, encoding?: number) => string | Uint8Array | null;
  };
  const original = accessors.name;
  accessors.name = function name(this: object, encoding?: number): string | Uint8Array | null {
    const bytes = original.call(this, asBytes);
    return encoding === asBytes || !(bytes instanceof Uint8Array) ? bytes : utf8.decode(bytes);
  };
}
