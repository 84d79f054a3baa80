/**
 * `holdout/module`: a function of the person's own, in TypeScript or JavaScript, over each row.
 * @module
 */
import { z } from 'zod';
import { type CodeRecord, digestCodeFiles, sortFiles } from '../src/lineage/code-identity.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { declaredFiles, deterministic, onThrow } from './parameters.ts';

/** Gives each row to a function and takes what it returns. */
export const module: Transform = defineTransform({
  name: 'holdout/module',
  version: 1,
  kind: 'user',
  summary:
    'Gives each row to your own function and takes what it returns: a row, a list of rows, or null for none. ' +
    'The file is an ES module, `export default (row, context) => row`; context.row is the number of the row from 0, ' +
    'context.args what `args` says.',
  example: 'module: {path: steps/clean.ts}',
  params: z.strictObject({
    path: z
      .string()
      .min(1)
      .describe(
        'The module, .ts, .mts, .js or .mjs, from the folder of holdout.yaml, or in `transform` from where you are. It, the local files that it imports ' +
          'and the versions of the packages that it imports are part of the identity of the step.',
      ),
    export: z.string().min(1).default('default').describe('The export that is the function.'),
    args: z.json().default(null).describe('Anything that the function should know; it is context.args.'),
    files: declaredFiles.describe('Files that the module reads; they become part of the identity.'),
    on_error: onThrow.describe(
      'What to do with a row on which the function throws. One over a limit below ends the step in any case.',
    ),
    timeout_ms: z.int().min(1).max(3_600_000).default(10_000).describe('How long one row may take.'),
    memory_mb: z
      .int()
      .min(16)
      .max(65_536)
      .default(512)
      .describe(
        'Memory that the module may take in one of its processes, JavaScript values and buffers together; there are as ' +
          'many as threads.',
      ),
    deterministic,
  }),
  describe: ({ path, export: name, deterministic: pure }) =>
    `each row through ${name === 'default' ? path : `${name} of ${path}`}${pure ? '' : ' (declared not deterministic)'}`,
  determinism: ({ deterministic: pure }) => (pure ? 'deterministic' : 'declared-not'),
  files: ({ path, files }) => [path, ...files],
  async code({ path, files }, { projectRoot }): Promise<CodeRecord> {
    const { readModuleGraph } = await import('../src/lineage/module-graph.ts');
    const { code } = await readModuleGraph(projectRoot, path, files.length > 0);
    return { ...code, files: sortFiles([...code.files, ...(await digestCodeFiles(projectRoot, files))]) };
  },
  async run(context, params) {
    const { runModule } = await import('../src/lineage/run-module.ts');
    return runModule(context, {
      path: params.path,
      exportName: params.export,
      args: params.args,
      files: params.files,
      onError: params.on_error,
      timeoutMs: params.timeout_ms,
      memoryMb: params.memory_mb,
      deterministic: params.deterministic,
    });
  },
  // The code is not run to answer a question: what its run counted has to do.
  whyGone: (_, { on_error: on }, { rows, realisation: { counts } }) => {
    const { returnedNothing = 0, failed = 0 } = counts;
    const threw = on === 'drop' ? failed : 0;
    const says =
      threw === 0
        ? 'the function returned nothing for it'
        : returnedNothing === 0
          ? 'the function threw on it, and on_error: drop lets such rows go'
          : 'the function returned nothing for it, or threw on it: which of the two was not kept';
    return Promise.resolve(rows.map(() => says));
  },
});
