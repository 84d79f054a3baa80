/**
 * IP addresses. IPv4: four numbers of 0 … 255 without leading zeros, so a version number of four parts is taken for one.
 * IPv6: whatever is valid and begins with a group of four digits, as every global, local and multicast address does;
 * `::1` and `a::b` (which is code more often) are left.
 * @module
 */
import { isIPv6 } from 'node:net';
import { type Found, findMatches } from './find-matches.ts';

const byte = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const ipv4 = new RegExp(`(?<![\\w.])(?:${byte}\\.){3}${byte}(?!\\w|\\.\\d)`, 'g');
const groups = /(?<![\w:.])[0-9A-Fa-f]{4}:[0-9A-Fa-f:.]{1,41}(?![\w:])/g;

/** Finds both versions. */
export function findIps(text: string, found: Found): void {
  if (text.includes('.')) findMatches(ipv4, text, found);
  if (!text.includes(':')) return;
  groups.lastIndex = 0;
  for (let match = groups.exec(text); match !== null; match = groups.exec(text)) {
    // The end of a sentence or of a list.
    const address = match[0].replace(/[.:]$/, '');
    if (isIPv6(address)) found(match.index, match.index + address.length);
    else if (isIPv6(match[0])) found(match.index, match.index + match[0].length);
  }
}
