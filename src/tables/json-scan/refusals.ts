/**
 * Why a line is refused, in words. The codes are those of state.as.ts, in its order.
 * @module
 */
import { HoldoutError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import type { Refusal } from './scan-block.ts';

interface Words {
  readonly says: string;
  readonly hint: string;
  readonly code?: ErrorCode;
}

const syntaxHint = 'Each line must hold one complete JSON object; find what wrote this file and write the line again.';

const documentHint = 'Each row must be one complete JSON object; find what wrote this file and write it again.';

/** Code of a string that a control character, or the end of its line, cuts. */
const CONTROL_CHARACTER = 11;

const words: readonly Words[] = [
  {
    says: 'the line holds no JSON object',
    hint: 'Each row must be one JSON object on one line, such as {"text": "…"}.',
  },
  { says: 'a JSON value is expected here', hint: syntaxHint },
  { says: 'a member name in double quotes is expected here', hint: syntaxHint },
  { says: '":" is expected after the member name', hint: syntaxHint },
  { says: '"," or "}" is expected here', hint: syntaxHint },
  { says: '"," or "]" is expected here', hint: syntaxHint },
  { says: 'something follows the JSON object', hint: 'Put each object on a line of its own.' },
  { says: 'the string is not valid UTF-8 here', hint: 'Save the file as UTF-8.' },
  {
    says: 'this escape is half of a surrogate pair, which is no character',
    hint: 'Write the row again without it, for example by encoding the text with errors="replace".',
  },
  { says: 'this is no escape that JSON has', hint: 'A backslash inside a string is written as two: \\\\.' },
  {
    says: 'a control character stands in the string as it is',
    hint: 'Inside strings line ends and other control characters are escaped: \\n, \\t, \\u0000.',
  },
  {
    says: 'this is not a JSON number',
    hint: 'Write numbers as JSON has them: 12, -0.5, 1e9; no leading zeros, no "+".',
  },
  { says: 'the integer has more than 38 digits', hint: 'Keep such numbers as strings: "123…".', code: 'LIMIT' },
  { says: 'the number is too large for a 64-bit float', hint: 'Keep such numbers as strings: "1e400".' },
  {
    says: 'the object has this member name twice',
    hint: 'Remove or rename one of the two; readers disagree about which of them counts.',
  },
  {
    says: 'lists and objects are nested deeper than 64 levels',
    hint: 'Keep the inner part as a string of JSON.',
    code: 'LIMIT',
  },
  {
    says: 'the file has more than 10,000 columns',
    hint: 'Move members whose names are data into one column, such as {"values": {…}}.',
    code: 'LIMIT',
  },
  {
    says: 'the file has too many different member names',
    hint: 'Move members whose names are data into one column, such as {"values": {…}}.',
    code: 'LIMIT',
  },
  {
    says: 'there is not enough memory for a line as long as this',
    hint: 'Split the row, or free memory.',
    code: 'LIMIT',
  },
];

/** The error for a refused line, or row of a document; `place` is where it stands in the file that the person knows. */
export function refusalError(
  refusal: Refusal,
  place: { file: string; line: number; column: number },
  inDocument = false,
): HoldoutError {
  const found = words[refusal.code - 1] ?? { says: 'the line is refused', hint: syntaxHint };
  const { says, code } = found;
  const hint = inDocument && found.hint === syntaxHint ? documentHint : found.hint;
  if (refusal.near === '' && refusal.code === CONTROL_CHARACTER) {
    return new HoldoutError('INPUT_INVALID', 'the line ends inside a string', { ...place, hint: syntaxHint });
  }
  const early = refusal.near === '' && (code ?? 'INPUT_INVALID') === 'INPUT_INVALID';
  const where = early ? 'the line ends too early: ' : '';
  const near = refusal.near === '' ? '' : `, at ${JSON.stringify(refusal.near)}`;
  return new HoldoutError(code ?? 'INPUT_INVALID', `${where}${says}${near}`, { ...place, hint });
}
