/**
 * The eval index for other threads. Its large tables are memory that all share; items and words are copied.
 * @module
 */
import type { EvalIndex } from './eval-index.ts';
import { GramTrie, type SharedTrie } from './gram-trie.ts';
import { Vocabulary, type Words } from './vocabulary.ts';

/** What `openIndex` makes an index of again. */
export type SharedIndex = Omit<EvalIndex, 'trie' | 'vocabulary'> & {
  readonly trie: SharedTrie;
  readonly words: Words;
};

/** The index as data that can be sent to a thread. It must not grow any more. */
export function shareIndex({ trie, vocabulary, ...rest }: EvalIndex): SharedIndex {
  return { ...rest, trie: trie.shared(), words: vocabulary.words };
}

/** The index in another thread. */
export function openIndex({ trie, words, ...rest }: SharedIndex): EvalIndex {
  return { ...rest, trie: GramTrie.over(trie), vocabulary: new Vocabulary(words) };
}
