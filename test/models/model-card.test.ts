import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cardBody, editCard, readCardEntry } from '../../dist/src/models/model-card.js';

const entry = ['holdout:', '  says: "Clean"', '  pin: "sha256:00"'];
const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');
const edited = (card: Buffer, lines: readonly string[] = entry): Buffer => {
  const edit = editCard(card, lines);
  if (edit.kind === 'left') throw new Error(edit.why);
  return edit.bytes;
};

describe("the card's front matter", () => {
  it('gets the entry before its closing line', () => {
    expect(edited(bytes('---\nlicense: mit\n---\n# Model\n')).toString()).toBe(
      `---\nlicense: mit\n${entry.join('\n')}\n---\n# Model\n`,
    );
  });

  it('keeps CRLF', () => {
    expect(edited(bytes('---\r\nlicense: mit\r\n---\r\n# Model\r\n')).toString()).toBe(
      `---\r\nlicense: mit\r\n${entry.join('\r\n')}\r\n---\r\n# Model\r\n`,
    );
  });

  it('replaces an entry where it stands, comments and blank lines around it kept', () => {
    const card = bytes('---\na: 1 # one\nholdout:\n  old: 1\n\n  more: 2\n\n# of b\nb: 2\n---\nbody');
    expect(edited(card).toString()).toBe(`---\na: 1 # one\n${entry.join('\n')}\n\n# of b\nb: 2\n---\nbody`);
  });

  it('is not touched where the word stands in a text', () => {
    const card = bytes('---\ntext: |\n  holdout:\n    no: entry\n---\n');
    expect(edited(card).toString()).toBe(`---\ntext: |\n  holdout:\n    no: entry\n${entry.join('\n')}\n---\n`);
  });

  it.each([
    ['no front matter', '# Model\n\n---\n', 'it has no YAML front matter'],
    ['invalid YAML', '---\na: [1\n---\n', 'its front matter is not valid YAML'],
    ['a list', '---\n- a\n---\n', 'its front matter is not a YAML mapping'],
    ['braces', '---\n{a: 1}\n---\n', 'its front matter is a mapping in braces'],
  ])('is left alone with %s', (_, card, why) => {
    expect(editCard(bytes(card), entry)).toEqual({ kind: 'left', why });
  });

  it('is refused rather than damaged: a list of the entry at the margin', () => {
    expect(() => editCard(bytes('---\nholdout:\n- a\n- b\nc: 1\n---\n'), entry)).toThrow(/cannot be written/);
  });

  it.each([
    ['an alias into the old entry', 'holdout:\n  says: &s "Clean"\nb: *s', /alias|valid YAML/],
    ['an alias of nothing', 'a: *nothing', /alias/],
    ['every line indented', '  license: mit\n  tags: x', /valid YAML/],
    ['a last text that keeps its blank lines', 'text: |+\n  one\n\n', /"text" would change/],
    ['an old entry that is not on lines of its own', '? holdout\n: says', /lines of its own/],
  ])('is refused rather than damaged: %s', (_, matter, why) => {
    const edit = (): unknown => editCard(bytes(`---\n${matter}\n---\n`), entry);
    expect(edit).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringMatching(why) as string }),
    );
  });

  it('is read back', () => {
    expect(readCardEntry(edited(bytes('---\na: 1\n---\n')))).toEqual({ says: 'Clean', pin: 'sha256:00' });
  });

  it('keeps every byte outside the entry, and writing it again changes nothing', () => {
    const line = fc.stringMatching(/^[a-z]{1,6}: [a-zA-Z0-9é ]{0,12}[a-z]$/);
    const lines = fc.uniqueArray(line, { selector: (each) => each.split(':')[0], minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(lines, fc.uint8Array({ maxLength: 60 }), fc.constantFrom('\n', '\r\n'), (matter, body, newline) => {
        const head = matter.filter((each) => !each.startsWith('holdout:')).join(newline);
        fc.pre(head !== '');
        const tail = Buffer.concat([bytes(`${newline}---${newline}`), Buffer.from(body)]);
        const card = Buffer.concat([bytes(`---${newline}${head}`), tail]);
        const once = edited(card);
        const block = bytes(newline + entry.join(newline));
        const start = once.indexOf(block);
        expect(Buffer.concat([once.subarray(0, start), once.subarray(start + block.length)]).equals(card)).toBe(true);
        expect(edited(once).equals(once)).toBe(true);
        expect(edited(edited(once, [...entry, '  more: 1'])).equals(once)).toBe(true);
        expect(Buffer.from(cardBody(once)).equals(Buffer.from(cardBody(card)))).toBe(true);
      }),
    );
  });
});
