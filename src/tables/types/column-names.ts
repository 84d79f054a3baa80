/**
 * Names that the engine cannot hold apart are refused before it sees them.
 * @module
 */
import { foldAscii } from '../json-scan/schema.ts';

/** The most columns that a table may have. */
const columnsMax = 10_000;

/** What is wrong with these names as columns of one table or members of one struct; null when nothing is. */
export function checkNames(names: readonly string[]): string | null {
  if (names.length > columnsMax) return `${names.length} columns; at most ${columnsMax} can be held`;
  const seen = new Map<string, string>();
  for (const [index, name] of names.entries()) {
    if (name === '') return `the name of column ${index + 1} is empty`;
    if (name.includes('\0')) return `the name of column ${index + 1} holds a NUL character`;
    const folded = foldAscii(name);
    const twin = seen.get(folded);
    if (twin === name) return `the name ${JSON.stringify(name)} stands twice`;
    if (twin !== undefined) {
      return `the names ${JSON.stringify(twin)} and ${JSON.stringify(name)} differ only in upper and lower case`;
    }
    seen.set(folded, name);
  }
  return null;
}
