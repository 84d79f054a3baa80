/**
 * What `clean-text` counts.
 * @module
 */

/** In this order: values that each pass changed, and those that became empty. */
export const cleanCounts = [
  'htmlValues',
  'controlValues',
  'zeroWidthValues',
  'unicodeValues',
  'whitespaceValues',
  'emptiedValues',
] as const;
