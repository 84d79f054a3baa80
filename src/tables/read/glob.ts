/**
 * Matches file names against a pattern: `*` and `?` within a name, `**` over folders, `[a-z]` and `[!a-z]` for one
 * character. A path that exists as it is written is never a pattern.
 * @module
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Whether a text has a character that a pattern is made of. */
export function isPattern(text: string): boolean {
  return /[*?[]/.test(text);
}

/** The files that a pattern matches, sorted; hidden ones only where the pattern names the dot. */
export async function expandPattern(pattern: string): Promise<string[]> {
  const segments = pattern.replaceAll('\\', '/').split('/');
  const fixed = segments.findIndex(isPattern);
  const root = segments.slice(0, fixed).join('/');
  const start = pattern.startsWith('/') && root === '' ? '/' : root;
  const found = new Set<string>();
  await walk(start, segments.slice(fixed), found);
  return [...found].sort(compareText);
}

/** Sorts as most file listings do: by code point. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

async function walk(folder: string, segments: readonly string[], found: Set<string>): Promise<void> {
  const [segment, ...rest] = segments;
  if (segment === undefined) return;
  const last = rest.length === 0;
  const entries = await readdir(folder === '' ? '.' : folder, { withFileTypes: true }).catch(() => []);
  const test = segment === '**' ? null : segmentPattern(segment);
  if (test === null && !last) await walk(folder, rest, found);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && test !== null && !last);
    if (test === null) {
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) await walk(path, segments, found);
      else if (last) found.add(path);
    } else if (test.test(entry.name) && (segment.startsWith('.') || !entry.name.startsWith('.'))) {
      if (!last && isFolder) await walk(path, rest, found);
      if (last && !entry.isDirectory()) found.add(path);
    }
  }
}

/** One name's pattern as a regular expression; `[` without its `]` stands for itself. */
export function segmentPattern(segment: string): RegExp {
  let source = '';
  for (let at = 0; at < segment.length; at++) {
    const char = segment.charAt(at);
    const close = char === '[' ? segment.indexOf(']', at + 2) : -1;
    if (char === '*') source += '.*';
    else if (char === '?') source += '.';
    else if (close > 0) {
      const body = segment.slice(at + 1, close).replaceAll(/[\\\]^]/g, String.raw`\$&`);
      source += body.startsWith('!') ? `[^${body.slice(1)}]` : `[${body}]`;
      at = close;
    } else source += char.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
  }
  return new RegExp(`^${source}$`, 'su');
}
