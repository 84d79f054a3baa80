/**
 * Where personal data and secrets stand in a text. Each finder is linear in the text: its regular expressions begin
 * where no earlier character could have begun them, and repeat bounded counts only. They look at ASCII alone, so that no
 * version of Unicode changes an answer.
 * @module
 */
import { findCards } from './find-cards.ts';
import { findEmails } from './find-emails.ts';
import { findIbans } from './find-ibans.ts';
import { findIps } from './find-ips.ts';
import { findKeys, findSecrets } from './find-keys.ts';
import type { Finder } from './find-matches.ts';
import { findPhones } from './find-phones.ts';

/** Kinds in the order in which they take a stretch that several find. */
export const kindNames = ['keys', 'email', 'iban', 'card', 'ip', 'phone', 'secrets'] as const;
export type Kind = (typeof kindNames)[number];

/** The finder of each kind. */
export const finders: Readonly<Record<Kind, Finder>> = {
  keys: findKeys,
  email: findEmails,
  iban: findIbans,
  card: findCards,
  ip: findIps,
  phone: findPhones,
  secrets: findSecrets,
};
