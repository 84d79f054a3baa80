/**
 * Whether JSON text is one object a line, or one document.
 * @module
 */
import { bomBytes, openInput } from './file-places.ts';

/**
 * `jsonl` for one object a line, under any file name; `json` for a document: a list, an object over several lines, or
 * a single one-line object in a file whose name does not end in .jsonl or .ndjson. A file of blanks is `jsonl`.
 * @param name the file's name where `path` is a copy under another
 * @throws HoldoutError NOT_FOUND, IO
 */
export async function sniffJson(path: string, name: string = path): Promise<'jsonl' | 'json'> {
  const file = await openInput(path);
  const buffer = Buffer.allocUnsafeSlow(1 << 16);
  const named = /\.(?:jsonl|ndjson)(?:\.[a-z0-9]+)?$/i.test(name);
  let depth = 0;
  let inString = false;
  let escaped = false;
  let complete = false;
  try {
    for (let first = true; ; first = false) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return complete && !named ? 'json' : 'jsonl';
      for (let i = first ? bomBytes(buffer.subarray(0, bytesRead)) : 0; i < bytesRead; i++) {
        const c = buffer[i];
        if (inString) {
          if (escaped) escaped = false;
          else if (c === 0x5c) escaped = true;
          else if (c === 0x22) inString = false;
          else if (c === 0x0a) return 'jsonl';
        } else if (c === 0x0a) {
          if (depth > 0) return 'json';
        } else if (c !== 0x20 && c !== 0x09 && c !== 0x0d) {
          // Anything behind the first object makes lines of it; whether they are well-formed is for the scan to say.
          if (complete) return 'jsonl';
          if (depth === 0 && c !== 0x7b) return c === 0x5b ? 'json' : 'jsonl';
          if (c === 0x22) inString = true;
          else if (c === 0x7b || c === 0x5b) depth++;
          else if (c === 0x7d || c === 0x5d) depth--;
          complete = depth === 0;
        }
      }
    }
  } finally {
    await file.close();
  }
}
