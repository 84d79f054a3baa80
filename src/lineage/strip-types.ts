/**
 * TypeScript without its types, line and column unchanged: each type becomes blanks, so that an error's place is that of
 * the person's own file. Node 20 strips no types itself, so this is swc's WebAssembly build, which newer Nodes use.
 * @module
 */
import { createRequire } from 'node:module';
import type { transformSync } from '@swc/wasm-typescript';
import { HoldoutError } from '../errors.ts';

// 3.7 MB that only a step in TypeScript needs.
const load = createRequire(import.meta.url);

/**
 * The text as JavaScript; of other files than TypeScript as it is.
 * @throws HoldoutError INPUT_INVALID with file, line and column
 */
export function stripTypes(source: string, shown: string): string {
  return /\.m?ts$/.test(shown) ? stripped(source, shown) : source;
}

/** What is wrong with the syntax of JavaScript, with file, line and column; null where this parser finds nothing. */
export function syntaxErrorIn(source: string, shown: string): HoldoutError | null {
  try {
    stripped(source, shown);
  } catch (error) {
    const isSyntax = error instanceof HoldoutError && (error.cause as Partial<SwcFailure>).code === 'InvalidSyntax';
    return isSyntax ? error : null;
  }
  return null;
}

/** @throws HoldoutError INPUT_INVALID with file, line and column */
function stripped(source: string, shown: string): string {
  const swc = load('@swc/wasm-typescript') as { readonly transformSync: typeof transformSync };
  try {
    return swc.transformSync(source, { mode: 'strip-only', module: true, filename: shown }).code;
  } catch (error) {
    const { code, message, startLine, startColumn } = (error ?? {}) as Partial<SwcFailure>;
    if (message === undefined) throw error;
    throw new HoldoutError('INPUT_INVALID', message.replaceAll(/\s+/g, ' '), {
      file: shown,
      ...(startLine === undefined ? {} : { line: startLine }),
      ...(startColumn === undefined ? {} : { column: startColumn + 1 }),
      ...(code === 'UnsupportedSyntax'
        ? { hint: 'Only types that can be erased are read: no enum, no namespace.' }
        : {}),
      cause: error,
    });
  }
}

/** What swc throws; not an Error. */
interface SwcFailure {
  readonly code: string;
  readonly message: string;
  readonly startLine: number;
  readonly startColumn: number;
}
