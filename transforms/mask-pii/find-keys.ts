/**
 * Keys and tokens that can be told by how their makers write them, and, when asked for, values that are assigned to a
 * name such as `password`.
 * @module
 */
import { type Found, findMatches } from './find-matches.ts';

/** Each begins where no letter of a key stands before, so that a long run of such letters is read once. */
const makers = [
  // AWS, identifiers of keys and roles.
  '(?:AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA)[A-Z2-7]{16}(?![A-Za-z0-9_-])',
  // GitHub.
  'gh[opusr]_[A-Za-z0-9]{36,255}',
  'github_pat_[A-Za-z0-9_]{22,255}',
  'glpat-[A-Za-z0-9_-]{20,64}',
  // OpenAI and others after them; words are told apart below.
  'sk-[A-Za-z0-9_-]{20,255}',
  'hf_[A-Za-z]{34}',
  // Slack.
  'xox[abeoprs]-[A-Za-z0-9-]{10,255}',
  // Google, Stripe, SendGrid, npm.
  'AIza[A-Za-z0-9_-]{35}',
  '[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}',
  'SG\\.[A-Za-z0-9_-]{16,64}\\.[A-Za-z0-9_-]{16,64}',
  'npm_[A-Za-z0-9]{36}',
  // JSON Web Tokens.
  'eyJ[A-Za-z0-9_-]{8,8000}\\.eyJ[A-Za-z0-9_-]{8,8000}\\.[A-Za-z0-9_-]{8,8000}',
];
const beginning =
  /AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|gh[opusr]_|_pat_|glpat-|sk-|hf_|xox|AIza|[rs]k_|SG\.|npm_|eyJ/;
const key = new RegExp(`(?<![A-Za-z0-9_-])(?:${makers.join('|')})`, 'g');
const blockStart = /-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g;
const blockEnd = /-----END (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g;

/** Finds keys, tokens and private keys in PEM; of a block that does not end, the lines that can belong to it. */
export function findKeys(text: string, found: Found): void {
  if (text.includes('-----BEGIN ')) findPrivateKeys(text, found);
  if (beginning.test(text))
    findMatches(key, text, found, (match) => !match.startsWith('sk-') || isMixed(match.slice(3)));
}

function findPrivateKeys(text: string, found: Found): void {
  let [end, ends] = [0, true];
  blockStart.lastIndex = 0;
  for (let match = blockStart.exec(text); match !== null; match = blockStart.exec(text)) {
    if (match.index < end) continue;
    const from = match.index + match[0].length;
    blockEnd.lastIndex = from;
    const last: RegExpExecArray | null = ends ? blockEnd.exec(text) : null;
    // Once none ends, none further on does.
    ends = last !== null;
    end = last === null ? bodyEnd(text, from) : last.index + last[0].length;
    found(match.index, end);
  }
}

/** Where base64 and the line ends between it, real or written `\n`, stop. */
function bodyEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && /[A-Za-z0-9+/=\r\n\\]/.test(text[at]!)) at += 1;
  return at;
}

/** Digits and letters of both cases: `sk-learn-…` has not. */
function isMixed(text: string): boolean {
  return /\d/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text);
}

const assignment =
  /(?<![A-Za-z0-9])(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|client[_-]?secret|auth[_-]?token)["']?[ \t]{0,4}(?::|=>|=)[ \t]{0,4}(["']?)([A-Za-z0-9+/=_.~!@#$%^&*-]{8,200})(?![A-Za-z0-9+/=_.~!@#$%^&*-])/gi;
/** Bits a character: that of words in English is under 3. */
const entropyMin = 3;

/** Finds values given to a name of a secret, where they look drawn by chance. Words and placeholders are left. */
export function findSecrets(text: string, found: Found): void {
  assignment.lastIndex = 0;
  for (let match = assignment.exec(text); match !== null; match = assignment.exec(text)) {
    const value = match[2] ?? '';
    const from = match.index + match[0].length - value.length;
    if (/\d/.test(value) && /[A-Za-z]/.test(value) && entropy(value) >= entropyMin) found(from, from + value.length);
  }
}

function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
