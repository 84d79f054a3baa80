/**
 * DuckDB's errors in Holdout's words. A message of the engine can quote a whole row of data, so it is cut short.
 * @module
 */
import { HoldoutError } from '../errors.ts';

const messageLengthMax = 300;

/** The first line of an engine's message, without quoted data past a limit. */
function shortMessage(message: string): string {
  const line = message.split('\n', 1)[0] ?? '';
  return line.length > messageLengthMax ? `${line.slice(0, messageLengthMax)} …` : line;
}

/** `Parser Error: `, with what the engine was about: it says nothing that the message does not. */
function withoutKind(message: string): string {
  return message.replace(/^(?:Failed to extract statements: )?(?:[A-Z][A-Za-z]+ ){1,3}Error: /, '');
}

/** A `HoldoutError` for what DuckDB threw; an error that is one already passes as it is. */
export function translateError(cause: unknown): HoldoutError {
  if (cause instanceof HoldoutError) return cause;
  const full = cause instanceof Error ? cause.message : String(cause);
  const message = shortMessage(full);
  if (/^INTERRUPT Error/i.test(full)) return new HoldoutError('INTERRUPTED', 'interrupted');
  if (/no space left on device/i.test(full)) {
    return new HoldoutError('IO', `the disk is full: ${message}`, {
      hint: 'Free some space, or point the temporary folder (TMPDIR) at a larger disk.',
    });
  }
  if (/max_temp_directory_size/i.test(full)) {
    return new HoldoutError('LIMIT', 'what the query has to keep is larger than the free space on the disk', {
      hint: 'Ask for fewer rows or columns, or free some space.',
    });
  }
  if (/^Out of Memory Error/i.test(full)) {
    const limit = /\/([0-9.]+ [KMGT]i?B) used\)/.exec(full)?.[1];
    return new HoldoutError(
      'LIMIT',
      `this takes more memory than the query engine has${limit === undefined ? '' : `: ${limit}`}`,
      {
        hint:
          'Fewer threads take less (HOLDOUT_THREADS=1). A query of your own takes less over fewer rows and columns, and ' +
          'without what holds many rows in one value or all at once: list(), string_agg(), windows.',
      },
    );
  }
  if (/^(IO|Permission|HTTP) Error/i.test(full)) return new HoldoutError('IO', message);
  const [, near] = /^(?:Candidate bindings|Did you mean): *(.*)$/m.exec(full) ?? [];
  return new HoldoutError(
    'INPUT_INVALID',
    withoutKind(message),
    near === undefined ? {} : { hint: `near it: ${near}` },
  );
}
