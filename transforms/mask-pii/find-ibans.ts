/**
 * International bank account numbers (ISO 13616): the length of the country, in one run or in groups of four, with the
 * check digits right (modulo 97). Upper case only.
 * @module
 */
import type { Found } from './find-matches.ts';

const lengths = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 ' +
    'FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 ' +
    'LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 ' +
    'RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((each): [string, number] => [each.slice(0, 2), Number(each.slice(2))]),
);
const beginning = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?= ?[A-Z0-9])/g;

/** Finds account numbers. */
export function findIbans(text: string, found: Found): void {
  let end = 0;
  beginning.lastIndex = 0;
  for (let match = beginning.exec(text); match !== null; match = beginning.exec(text)) {
    const length = lengths.get(match[0].slice(0, 2));
    if (length === undefined || match.index < end) continue;
    const [characters, to] = take(text, match.index, length);
    if (characters.length < length || /[A-Za-z0-9]/.test(text[to] ?? ' ') || !checks(characters)) continue;
    end = to;
    found(match.index, to);
  }
}

/** So many letters and digits, and where they end; blanks stand only between groups of four. */
function take(text: string, from: number, length: number): [string, number] {
  let characters = '';
  let at = from;
  const spaced = text[from + 4] === ' ';
  while (characters.length < length && at < text.length) {
    if (spaced && characters.length % 4 === 0 && characters !== '' && text[at] === ' ') at += 1;
    if (!/[A-Z0-9]/.test(text[at] ?? ' ')) break;
    characters += text[at]!;
    at += 1;
  }
  return [characters, at];
}

function checks(characters: string): boolean {
  let rest = 0;
  for (const character of characters.slice(4) + characters.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}
