/**
 * The normal form that keeps symbols: bracket puzzles and formulas that share all their words stay different.
 * @module
 */

const reference = /&(?:amp;)*(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,6});/g;

const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  ndash: '\u2013',
  mdash: '\u2014',
  lsquo: '\u2018',
  rsquo: '\u2019',
  ldquo: '\u201c',
  rdquo: '\u201d',
  hellip: '\u2026',
  bull: '\u2022',
};

/** HTML unescaped, NFKC, case folded, white space squeezed. */
export function symbolForm(text: string): string {
  return text
    .replace(reference, (all, name: string) => unescaped(name) ?? all)
    .normalize('NFKC')
    .toUpperCase()
    .toLowerCase()
    .replace(/[\p{Default_Ignorable_Code_Point}]+/gu, '')
    .replace(/\s+/gu, ' ')
    .trim();
}

function unescaped(name: string): string | undefined {
  if (!name.startsWith('#')) return named[name.toLowerCase()];
  const value = /^#[xX]/.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  return value <= 0x10ffff && (value < 0xd800 || value > 0xdfff) ? String.fromCodePoint(value) : undefined;
}
