import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CleanSettings, cleaner } from '../../dist/transforms/clean-text/clean.js';
import { cleanCounts } from '../../dist/transforms/clean-text/counts.js';
import { htmlText } from '../../dist/transforms/clean-text/html-text.js';
import { Workspace } from '../snapshots/workspace.js';
import { mapOn } from './map-on.js';
import { StepBench } from './step-bench.js';

const nothing: CleanSettings = {
  html: 'keep',
  unicode: 'none',
  control: 'keep',
  zeroWidth: 'keep',
  whitespace: 'keep',
};
const clean = (text: string, settings: Partial<CleanSettings>): string =>
  cleaner({ ...nothing, ...settings }).map(text, new Float64Array(cleanCounts.length), null);

describe('each pass', () => {
  it.each<[Partial<CleanSettings>, string, string]>([
    [{ unicode: 'nfc' }, 'e\u0301 ﬁ', 'é ﬁ'],
    [{ unicode: 'nfkc' }, 'e\u0301 ﬁ²\u00A0x', 'é fi2 x'],
    [{ control: 'strip' }, 'a\u0000\u0007b\u009F\tc\n\r\v\f\u0085d\u007F', 'ab\tc\n\r\v\f\u0085d'],
    [{ zeroWidth: 'strip' }, '\uFEFFa\u200Bb\u00ADc\u2060', 'abc'],
    [{ zeroWidth: 'strip' }, '👩\u200D👧 می\u200Cخواهم \u200Fא', '👩\u200D👧 می\u200Cخواهم \u200Fא'],
    [{ zeroWidth: 'strip', unicode: 'nfc' }, 'e\u200B\u0301', 'é'],
    [{ whitespace: 'trim' }, ' \u3000a  b\n ', 'a  b'],
    [{ whitespace: 'trim' }, '\uFEFF a', '\uFEFF a'],
    [{ whitespace: 'collapse' }, ' a\u00A0 \n\tb ', 'a b'],
    [{ whitespace: 'lines' }, '\n\n a  b \t\r\n\r\n\n\n  c\u2028d\u0085', ' a  b\n\n  c\nd'],
    [nothing, ' \u0000e\u0301\u200B\r\n<b> ', ' \u0000e\u0301\u200B\r\n<b> '],
  ])('%j', (settings, text, expected) => {
    expect(clean(text, settings)).toBe(expected);
  });

  it('changes nothing the second time', () => {
    const passes = fc.record<CleanSettings>({
      html: fc.constant('keep'),
      unicode: fc.constantFrom('nfc', 'nfkc', 'none'),
      control: fc.constantFrom('strip', 'keep'),
      zeroWidth: fc.constantFrom('strip', 'keep'),
      whitespace: fc.constantFrom('collapse', 'lines', 'trim', 'keep'),
    });
    const piece = fc.constantFrom(
      ...'ae\u0301 \t\n\r\u0085\u200B\u0000\u00A0\uFEFF\u3000ﬁ\u1100\u1161\u11A8'.split(''),
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece).map((each) => each.join('')),
    );
    fc.assert(
      fc.property(text, passes, (given, settings) => {
        const once = clean(given, settings);
        expect(clean(once, settings)).toBe(once);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('text of HTML', () => {
  it.each([
    ['a &amp; b\n\nc', 'a & b\n\nc'],
    ['AT&T &lt;b&gt; &#x41;&eacute;', 'AT&T <b> Aé'],
    ['<p>One <b>two</b>\n three</p><p>four<br>five</p>', 'One two three\n\nfour\nfive'],
    ['<ul><li>a<li>b</ul>c', 'a\nb\n\nc'],
    ['<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>', 'a\tb\nc'],
    ['<pre>  x\n   y</pre>z', '  x\n   y\n\nz'],
    ['<script>a < "</b>"</script>hi<style>p{}</style><!-- no --> there', 'hi there'],
    ['<!doctype html><head><title>T</title></head><body><h1>H</h1>text', 'H\n\ntext'],
    ['<a href="x>y" title=\'<p>\'>link</a>', 'link'],
    ['keeps\n  <b>lines</b>\n  of inline', 'keeps\n  lines\n  of inline'],
    ['a\r\n<br/>b', 'a\nb'],
  ])('%j', (html, expected) => {
    expect(htmlText(html)).toBe(expected);
  });

  it.each([
    '<think>x</think>',
    'List<String> a<br',
    'a < b && c > d, I </3 you',
    'the <script> tag and <title> and <!-- this',
    'x <b unfinished="',
    '\uFEFF\u0000 plain',
  ])('leaves what is no HTML: %j', (text) => {
    expect(htmlText(text)).toBe(text);
  });

  it('takes nesting of any depth', () => {
    expect(htmlText(`${'<div><b>'.repeat(50_000)}x`)).toBe('x');
  });
});

describe('clean-text', () => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await Workspace.make();
  });
  afterAll(async () => workspace.remove());
  const rows = [
    { id: 1, text: ' e\u0301 ', more: '\uFEFFb' },
    { id: 2, text: null, more: '\u200B' },
    { id: 3, text: 'plain', more: '' },
  ];

  it('counts what each pass changed, and leaves null and other columns alone', async () => {
    const mapped = await mapOn(workspace, rows, 'clean-text: {columns: [more, text]}');
    expect(mapped.rows).toEqual([
      { id: 1, text: 'é', more: 'b' },
      { id: 2, text: null, more: '' },
      { id: 3, text: 'plain', more: '' },
    ]);
    expect(mapped.counts).toEqual({
      rowsTouched: 2,
      htmlValues: 0,
      controlValues: 0,
      zeroWidthValues: 2,
      unicodeValues: 1,
      whitespaceValues: 1,
      emptiedValues: 1,
    });
    expect(mapped.kept).toEqual({ id: 'id' });
  });

  it('leaves a column in which nothing changes where it is, and gives the rows that cleaning each text gives', async () => {
    const tidy = fc.constantFrom('', 'plain', 'é', null);
    const dirty = fc.constantFrom(' x', 'e\u0301', '\u200B', 'plain', null);
    const columns = fc.record({ a: fc.oneof(tidy, dirty), b: tidy, c: dirty });
    const mapper = cleaner({ ...nothing, unicode: 'nfc', control: 'strip', zeroWidth: 'strip', whitespace: 'trim' });
    await fc.assert(
      fc.asyncProperty(fc.array(columns, { minLength: 1, maxLength: 6 }), async (given) => {
        const typed = [...given.map((row, id) => ({ id, ...row })), { id: -1, a: '', b: '', c: '' }];
        const counts = new Float64Array(mapper.counters);
        const cleaned = (text: string | null): string | null => (text === null ? null : mapper.map(text, counts, null));
        const expected = typed.map(({ id, a, b, c }) => ({ id, a: cleaned(a), b: cleaned(b), c: cleaned(c) }));
        const mapped = await mapOn(workspace, typed, 'clean-text: {columns: [a, b, c]}');
        expect(mapped.rows).toEqual(expected);
        expect(Object.values(mapped.counts).slice(1)).toEqual([...counts]);
        const same = (['id', 'a', 'b', 'c'] as const).filter((name) =>
          typed.every((row, i) => row[name] === expected[i]![name]),
        );
        expect(Object.keys(mapped.kept).toSorted()).toEqual([...same].toSorted());
      }),
      { numRuns: 25 },
    );
  });

  it('makes the table that it was given of texts that are clean, and stores nothing', async () => {
    const many = Array.from({ length: 5000 }, (_, i) => ({ id: i, text: `plain ${i}` }));
    const first = await mapOn(workspace, many, 'clean-text: {columns: [text]}');
    expect(first.kept).toEqual({ id: 'id', text: 'text' });
    expect(first.rows).toEqual(many);
    const late = await mapOn(workspace, [...many, { id: 5000, text: ' late' }], 'clean-text: {columns: [text]}');
    expect(late.kept).toEqual({ id: 'id' });
    expect(late.rows.at(-1)).toEqual({ id: 5000, text: 'late' });
    expect(late.rows.slice(0, -1)).toEqual(many);
  });

  it('gives the same rows in worker threads and on scattered rows', async () => {
    const many = Array.from({ length: 5000 }, (_, i) => ({ id: i, text: ` ${'e\u0301'.repeat(i % 40)}\u0000 ${i}` }));
    const mapped = await mapOn(workspace, many, 'clean-text: {columns: [text]}');
    expect(mapped.rows).toEqual(many.map(({ id }) => ({ id, text: `${'é'.repeat(id % 40)} ${id}`.trim() })));
    const bench = await StepBench.make();
    const steps = ['shuffle: {}', 'clean-text: {columns: [text], whitespace: collapse}', 'sort: {by: [text, id]}'];
    const turned = await bench.run(steps);
    const [, straight] = await bench.run([steps[1]!, steps[2]!]);
    expect(turned.at(-1)!.output.table).toBe(straight!.output.table);
    await bench.workspace.remove();
  });
});
