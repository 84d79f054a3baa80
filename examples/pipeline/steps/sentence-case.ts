/** The text with its first letter in upper case. */
export function sentenceCase(text: string): string {
  return text.replace(/^\s*\p{Ll}/u, (start) => start.toUpperCase());
}
