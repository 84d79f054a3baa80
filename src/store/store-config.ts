/**
 * `config.json`: the mark of a store, and the format that it is of.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { HoldoutError } from '../errors.ts';
import { errnoOf, ioError } from './io-error.ts';
import { configPath } from './store-paths.ts';

const formatPattern = /^holdout\/store@([1-9][0-9]*)$/;
const formatVersion = 1;
const config = z.strictObject({ type: z.string().regex(formatPattern) });

/** Content of a new store's config file. */
export const configText = `{"type":"holdout/store@${formatVersion}"}\n`;

/**
 * Whether a folder is marked as a store of any format.
 * @throws HoldoutError `IO`
 */
export async function hasConfig(root: string): Promise<boolean> {
  return (await readConfig(root)) !== null;
}

/**
 * Refuses a folder that is no store of the format that this version reads and writes.
 * @throws HoldoutError `STORE_UNUSABLE`, `IO`
 */
export async function assertUsable(root: string): Promise<void> {
  const text = await readConfig(root);
  if (text === null) {
    throw new HoldoutError('STORE_UNUSABLE', `no store at ${root}`, {
      hint: 'Run "holdout init" to make one, or name another with -C or HOLDOUT_DIR.',
    });
  }
  const parsed = config.safeParse(parseJson(text));
  const version = parsed.success ? Number(formatPattern.exec(parsed.data.type)?.[1]) : null;
  if (version === formatVersion) return;
  if (version !== null && version > formatVersion) {
    throw new HoldoutError(
      'STORE_UNUSABLE',
      `the store at ${root} is of format ${version}, this Holdout reads ${formatVersion}`,
      {
        hint: 'Use a newer version of Holdout.',
      },
    );
  }
  throw new HoldoutError('STORE_UNUSABLE', `${configPath(root)} is damaged`, {
    file: configPath(root),
    hint: `If this folder is a Holdout store, write ${configText.trim()} into that file and run "holdout verify --read-data".`,
  });
}

async function readConfig(root: string): Promise<string | null> {
  try {
    return await readFile(configPath(root), 'utf8');
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw ioError('read', configPath(root), error);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
