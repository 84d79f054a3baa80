/**
 * The built-in steps, as the CLI hands them to the runner.
 * @module
 */
import type { Transform } from '../src/lineage/transform.ts';
import { remove } from './remove.ts';

export { remove };

/** Every built-in step. A version once published stays here, or its lineage could not be replayed. */
export const builtInTransforms: readonly Transform[] = [remove];
