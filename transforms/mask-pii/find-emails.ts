/**
 * Email addresses as people write them: `local@domain.tld` in ASCII. Not found: quoted local parts, addresses in other
 * scripts, hosts without a dot, `name (at) host`. Found though none: `git@github.com:a/b`.
 * @module
 */
import type { Found } from './find-matches.ts';

const isLocal = /[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]/;
const isDomain = /[A-Za-z0-9.-]/;
const label = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const topLevel = /^(?:[A-Za-z]{2,63}|xn--[A-Za-z0-9-]{1,59})$/;
const localMax = 64;
const domainMax = 253;

/** Looks at both sides of each @. */
export function findEmails(text: string, found: Found): void {
  let end = 0;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    let from = at;
    while (from > end && at - from < localMax && isLocal.test(text[from - 1]!)) from -= 1;
    // Quotes and brackets around an address are none of it.
    while (from < at && /[.'`{|}/=?&!*#$%^~]/.test(text[from]!)) from += 1;
    if (from === at || text[at - 1] === '.') continue;
    let to = at + 1;
    while (to < text.length && to - at <= domainMax && isDomain.test(text[to]!)) to += 1;
    const domain = domainIn(text.slice(at + 1, to));
    if (domain === 0) continue;
    end = at + 1 + domain;
    found(from, end);
  }
}

/** How long the domain is that the text begins with; 0 for none. */
function domainIn(text: string): number {
  let [length, best, labels] = [0, 0, 0];
  for (const part of text.split('.')) {
    if (!label.test(part)) {
      // A sign at the end, as in `me@example.com-`, leaves what stands before it.
      const cut = part.replace(/-+$/, '');
      if (labels > 0 && topLevel.test(cut)) best = length + (labels === 0 ? 0 : 1) + cut.length;
      break;
    }
    length += part.length + (labels === 0 ? 0 : 1);
    labels += 1;
    if (labels > 1 && topLevel.test(part)) best = length;
  }
  return best;
}
