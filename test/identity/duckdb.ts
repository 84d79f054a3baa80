/**
 * A DuckDB of our own for the tests of generated SQL, with the two functions that the SQL calls.
 * @module
 */
import {
  DuckDBInstance,
  DuckDBScalarFunction,
  VARCHAR,
  type DuckDBConnection,
  type DuckDBValue,
} from '@duckdb/node-api';
import { canonicalJsonText, encodeJsonText } from '../../dist/src/identity/json-value.js';
import { JSON_CANONICAL_FUNCTION, JSON_ENCODING_FUNCTION } from '../../dist/src/identity/row-encoding-sql.js';

export interface TestDatabase {
  /** All rows of a query, in order. */
  rows(sql: string, parameters?: readonly DuckDBValue[]): Promise<readonly (readonly DuckDBValue[])[]>;
  close(): void;
}

export async function openDatabase(threads: number): Promise<TestDatabase> {
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads), temp_directory: '' });
  const connection = await instance.connect();
  await connection.run(`SET TimeZone='UTC'`);
  register(connection, JSON_ENCODING_FUNCTION, encodeJsonText);
  register(connection, JSON_CANONICAL_FUNCTION, canonicalJsonText);
  return {
    async rows(sql, parameters) {
      const result = await connection.runAndReadAll(sql, parameters && [...parameters]);
      return result.getRows();
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

function register(connection: DuckDBConnection, name: string, apply: (text: string) => string): void {
  connection.registerScalarFunction(
    DuckDBScalarFunction.create({
      name,
      parameterTypes: [VARCHAR],
      returnType: VARCHAR,
      mainFunction: (_info, input, output) => {
        const texts = input.getColumnVector(0);
        for (let i = 0; i < input.rowCount; i++) {
          const text = texts.getItem(i);
          output.setItem(i, typeof text === 'string' ? apply(text) : null);
        }
        output.flush();
      },
    }),
  );
}
