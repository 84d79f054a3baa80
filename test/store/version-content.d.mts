import type { Sha256Id } from '../../dist/schemas/ids.js';
import type { JournalDraft, JournalState } from '../../dist/src/store/journal-state.js';
import type { Store } from '../../dist/src/store/store.js';

/** Stores bytes as a file of this kind. */
export function putBytes(
  store: Store,
  kind: 'part' | 'digests' | 'layout' | 'pack',
  bytes: Uint8Array | string,
): Promise<{ id: Sha256Id; bytes: number }>;

/** Bytes of a made-up version; `word` names its one column and so tells it from others. */
export interface VersionContent {
  readonly word: string;
  readonly parquet: Uint8Array | string;
  readonly digests: Uint8Array | string;
  readonly raw: Uint8Array | string;
  readonly source?: string;
}

/** Stores all that a version needs, with one part, and gives the version's draft. The layout is the part record's id. */
export function putVersionOf(
  store: Store,
  content: VersionContent,
): Promise<(state: JournalState) => JournalDraft & { op: 'version' }>;
