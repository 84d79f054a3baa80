/**
 * The two JavaScript functions that SQL calls for values of no fixed shape: the canonical encoding of a JSON text, and
 * its canonical spelling. DuckDB calls them with up to 2,048 values at a time, on the main thread.
 * @module
 */
import type { DuckDBConnection, DuckDBScalarFunction } from '@duckdb/node-api';
import { canonicalJsonText, encodeJsonText } from '../identity/json-value.ts';
import { JSON_CANONICAL_FUNCTION, JSON_ENCODING_FUNCTION } from '../identity/row-encoding-sql.ts';
import type { Binding } from './binding.ts';

/** Registers both on a connection; they are seen by all connections of its instance. */
export function registerJsonFunctions(binding: Binding, connection: DuckDBConnection): void {
  connection.registerScalarFunction(textFunction(binding, JSON_ENCODING_FUNCTION, encodeJsonText));
  connection.registerScalarFunction(textFunction(binding, JSON_CANONICAL_FUNCTION, canonicalJsonText));
}

function textFunction(binding: Binding, name: string, apply: (text: string) => string): DuckDBScalarFunction {
  return binding.DuckDBScalarFunction.create({
    name,
    parameterTypes: [binding.VARCHAR],
    returnType: binding.VARCHAR,
    mainFunction: (_info, input, output) => {
      const values = input.getColumnVector(0);
      for (let row = 0; row < input.rowCount; row++) {
        const text = values.getItem(row) as string | null;
        output.setItem(row, text === null ? null : apply(text));
      }
      output.flush();
    },
  });
}
