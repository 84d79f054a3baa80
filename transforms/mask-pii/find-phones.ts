/**
 * Telephone numbers, with care: a number that could as well be an amount, a date or an id is left.
 *
 * Found: international ones with a plus (`+49 171 1234567`, `+1 (415) 555-2671`), 8 to 15 digits; North American ones of
 * ten digits with signs between (`(415) 555-2671`, `415-555-2671`, `1.415.555.2671`); French pairs (`01 23 45 67 89`);
 * British and German ones with a leading zero and one or two blanks, hyphens or slashes (`020 7946 0958`, `0171 1234567`).
 * Not found: digits in one run without a plus, seven-digit local numbers, `00` for the plus, other countries' own ways.
 * Found though none: anything else that is written in these ways, such as `+12345678` as a number.
 * @module
 */
import { type Found, findMatches } from './find-matches.ts';

const sign = String.raw`[ .\-/\u00A0]`;
/** Groups of digits are parted by something, so that there is one way to read them. */
const between = String.raw`(?:\)${sign}?\(?|${sign}\(?|\()`;
const patterns = [
  String.raw`\+[1-9]\d{0,14}(?:${between}\d{1,14}){0,8}`,
  String.raw`(?:1[ .-])?(?:\([2-9]\d{2}\)[ -]?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}`,
  String.raw`0[1-9]([ .-])\d{2}(?:\1\d{2}){3}`,
  String.raw`\(?0[127]\d{1,4}\)?[ -]\d{3,4}[ -]?\d{3,4}`,
  String.raw`\(?0[1-9]\d{1,4}\)?[ /-]{1,3}\d{5,8}`,
];
const phone = new RegExp(String.raw`(?<![\w.+/@-])(?:${patterns.join('|')})(?![\w]|[.\-/]\d)`, 'g');
const digitsMin = 8;
const digitsMax = 15;

/** Finds telephone numbers. */
export function findPhones(text: string, found: Found): void {
  findMatches(phone, text, found, (match) => {
    const digits = match.replaceAll(/\D/g, '').length;
    return digits >= (match.startsWith('+') ? digitsMin : digitsMin + 1) && digits <= digitsMax;
  });
}
