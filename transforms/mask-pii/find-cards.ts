/**
 * Numbers of payment cards: the digits of a brand, in one run or in the groups that cards print, with the check digit
 * right (Luhn, ISO/IEC 7812-1). One of ten numbers of that form passes by chance.
 * @module
 */
import { type Found, findMatches } from './find-matches.ts';

const groupings = [
  String.raw`\d{13,19}`,
  String.raw`\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?`,
  String.raw`\d{4}([ -])\d{6}\2\d{4,5}`,
];
const grouped = new RegExp(String.raw`(?<![\w.+-])(?:${groupings.join('|')})(?![\w]|[.-]\d)`, 'g');
/** Visa, Mastercard, American Express, Discover, JCB, Diners Club, UnionPay, Maestro: first digits and lengths. */
const brand =
  /^(?:4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|(?:6011|64[4-9]\d|65\d\d)\d{12,15}|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[689]\d)\d{11}|62\d{14,17}|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15})$/;

/** Finds card numbers. */
export function findCards(text: string, found: Found): void {
  findMatches(grouped, text, found, (match) => {
    const digits = match.replaceAll(/[ -]/g, '');
    return brand.test(digits) && hasCheckDigit(digits);
  });
}

function hasCheckDigit(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 0x30;
    const doubled = index % 2 === 0 ? digit : 2 * digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
