/**
 * What a journal entry names directly. An entry is written only when all of it is stored: the entry is the commit
 * point, and must never stand before what it commits.
 * @module
 */
import { stat } from 'node:fs/promises';
import type { Sha256Id } from '../../schemas/ids.ts';
import { HoldoutError } from '../errors.ts';
import { errnoOf, ioError } from './io-error.ts';
import type { JournalDraft } from './journal-state.ts';
import { filePath } from './store-paths.ts';
import type { StoredKind } from './store-paths.ts';

/** A stored thing, by kind and digest. */
export interface StoredRef {
  readonly kind: StoredKind;
  readonly id: Sha256Id;
}

/** Records and files that an entry names. */
export function namedBy(draft: JournalDraft): readonly StoredRef[] {
  switch (draft.op) {
    case 'version':
      return [
        ...[draft.snapshot, draft.derivation, draft.realisation, ...draft.sources.map((source) => source.blob)].map(
          (id): StoredRef => ({ kind: 'record', id }),
        ),
        ...(draft.through ?? []).flatMap(({ derivation, realisation, schema, layout }): StoredRef[] => [
          { kind: 'record', id: derivation },
          { kind: 'record', id: realisation },
          { kind: 'record', id: schema },
          ...layoutOf(layout),
        ]),
        ...layoutOf(draft.layout),
      ];
    case 'layout':
      return [
        { kind: 'record', id: draft.schema },
        { kind: 'layout', id: draft.layout },
      ];
    case 'drop':
      return [{ kind: 'record', id: draft.schema }];
    case 'report':
      return [{ kind: 'record', id: draft.report }];
    case 'pin':
      return [{ kind: 'record', id: draft.pin }];
    default:
      throw new TypeError(`unknown journal operation ${JSON.stringify(draft satisfies never)}`);
  }
}

function layoutOf(id: Sha256Id | undefined): StoredRef[] {
  return id === undefined ? [] : [{ kind: 'layout', id }];
}

/**
 * Refuses a draft that names what is not stored.
 * @throws HoldoutError `NOT_FOUND`, `IO`
 */
export async function assertStored(root: string, draft: JournalDraft): Promise<void> {
  for (const { kind, id } of namedBy(draft)) {
    const path = filePath(root, kind, id);
    await stat(path).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw ioError('read', path, error);
      throw new HoldoutError('NOT_FOUND', `a ${draft.op} entry names the ${kind} ${id}, which is not stored`, {
        file: path,
      });
    });
  }
}
