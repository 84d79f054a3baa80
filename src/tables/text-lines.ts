/**
 * Lines of a text file as a person counts them, for errors that name one.
 * @module
 */
import { createReadStream } from 'node:fs';

/** Lines that end with LF and nothing else: text of a row may hold U+2028, at which `node:readline` of Node 24 cuts. */
export async function* fileLines(path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const text of createReadStream(path, { encoding: 'utf8' }) as AsyncIterable<string>) {
    rest += text;
    // A long line is put together once, not looked through with each piece.
    if (!text.includes('\n')) continue;
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
