/**
 * What of a command counts in a derivation: its declared files, and what its declared fingerprint command prints.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import { runCommand } from './child-process.ts';
import { type CodeRecord, bytesId, digestCodeFiles } from './code-identity.ts';
import { formatBytes } from '../size-text.ts';

/** What a step declares of its command. */
export interface DeclaredCommand {
  /** A line for the shell that prints versions, such as `python -V && pip freeze`. */
  readonly fingerprint: string | null;
  readonly files: readonly string[];
}

const fingerprintBytesMax = 4 << 20;
const fingerprintMsMax = 120_000;

/**
 * The identity.
 * @throws HoldoutError NOT_FOUND for a declared file that is not there; INPUT_INVALID when the fingerprint command fails
 */
export async function commandIdentity(projectRoot: string, declared: DeclaredCommand): Promise<CodeRecord> {
  const { fingerprint } = declared;
  return {
    files: await digestCodeFiles(projectRoot, declared.files),
    packages: [],
    builtins: [],
    fingerprint: fingerprint === null ? null : await printedId(projectRoot, fingerprint),
    unvouched: fingerprint === null ? ['it is a command without a fingerprint'] : [],
  };
}

async function printedId(folder: string, command: string): Promise<CodeRecord['fingerprint']> {
  const printed: Uint8Array[] = [];
  let size = 0;
  await runCommand({ command, folder, timeoutMs: fingerprintMsMax }, [], (bytes) => {
    size += bytes.length;
    if (size > fingerprintBytesMax)
      throw new HoldoutError('LIMIT', `it is larger than ${formatBytes(fingerprintBytesMax)}`);
    printed.push(bytes);
  }).catch((error: unknown) => {
    throw ofFingerprint(error);
  });
  return bytesId(Buffer.concat(printed));
}

/** The error, as that of the fingerprint and not of the step's own command, whose time limit is another. */
function ofFingerprint(error: unknown): unknown {
  if (!(error instanceof HoldoutError) || error.code === 'INTERRUPTED') return error;
  const hint = error.hint === undefined || error.code === 'LIMIT' ? {} : { hint: error.hint };
  return new HoldoutError(error.code, `its fingerprint: ${error.message}`, { ...error.place, ...hint, cause: error });
}
