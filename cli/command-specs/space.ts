/**
 * Space: what the store need not keep as it lies.
 * @module
 */
import type { CommandSpec } from '../command-spec.ts';
import { done } from './shared.ts';

/** `holdout drop`. */
export const drop: CommandSpec = {
  name: 'drop',
  summary: 'free the rows of a derived version; reading it rebuilds them',
  operands: [['<version>', 'NAME or NAME@VERSION']],
  options: [
    ['--dry-run', 'run its steps again and say what would be freed; drop nothing'],
    ['--run-code', 'let its steps run code of your own: modules and commands'],
  ],
  details: [
    'Its steps are run again in a scratch store first; where an id differs, nothing is dropped. Records and lineage stay.',
    'Refused for what could not be rebuilt: files that were read, steps declared not deterministic, code of your own for',
    'which nothing vouches. Reading runs no code of yours: of a version that it makes, the rows come back by',
    '`reproduce NAME --run-code --restore`, as long as you keep the code.',
  ].join(' '),
  examples: ['holdout drop sft@1', 'holdout drop sft@1 --dry-run'],
  exits: [done],
  json: [
    '{version, dryRun, tables: [{table, schema}], same: [version], unreadable: [version],',
    ' sweep: {moved, removed, waiting, back: {files, bytes}, otherCommands}}; same: with the same rows, dropped with it;',
    'unreadable: dropped before, and read no more without running your code',
  ].join('\n'),
  load: async () => (await import('../commands/drop.ts')).drop,
};

/** `holdout compact`. */
export const compact: CommandSpec = {
  name: 'compact',
  summary: 'repack frayed layouts, move what nothing needs to quarantine, delete it after a grace time',
  operands: [['[version...]', 'NAME (its newest version) or NAME@VERSION: repack these, frayed or not']],
  options: [
    ['--dry-run', 'say what would be done'],
    ['--grace <days>', 'days in quarantine before a file is deleted (default 14)'],
  ],
  details: [
    'Without a name every version is looked at: repacked is what draws from files of which less than half of the rows is',
    'needed by any version, from more than 16 small parts, or, strewn, from parts that no other version needs. A named',
    'version gets parts of its own, in its order: quicker to read, and its rows may then be stored twice. No id changes, and',
    'lines stay as they are spelled. Parts that are the only copy of a raw file are left alone. Nothing is moved while',
    'another command has the store open; what is needed after all comes back from quarantine until it is deleted.',
  ].join(' '),
  examples: ['holdout compact --dry-run', 'holdout compact', 'holdout compact sft'],
  exits: [done],
  json: [
    '{dryRun, repacked: [{table, schema, versions, onTheWay, rows, why, before, after: {parts, pieces, bytes}}],',
    'left: [{version, why}], writtenBytes, freedBytes, moved, removed, waiting, back: {files, bytes}, otherCommands}',
  ].join(' '),
  load: async () => (await import('../commands/compact.ts')).compact,
};
