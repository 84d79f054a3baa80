/**
 * Loads the files of a person's module out of memory, as they were digested. Runs in the thread that Node keeps for
 * resolving imports.
 * @module
 */
import type { LoadHook, ResolveHook } from 'node:module';
import type { ModuleSource } from './module-graph.ts';

let sources: ReadonlyMap<string, ModuleSource> = new Map();

/** Called once by `register`. */
export function initialize(given: readonly ModuleSource[]): void {
  sources = new Map(given.map((source) => [source.url, source]));
}

/** A local import of a known file stays among the known files. */
export const resolve: ResolveHook = (specifier, context, next) => {
  const { parentURL } = context;
  const known = parentURL !== undefined && sources.has(parentURL);
  const url = known && /^(?:\.{0,2}\/|file:)/.test(specifier) ? new URL(specifier, parentURL).href : specifier;
  for (const candidate of [url, url.replace(/\.(m?)js$/, '.$1ts')]) {
    const found = sources.get(candidate);
    if (found === undefined) continue;
    const { importAttributes } = context;
    return { url: candidate, format: found.format, importAttributes, shortCircuit: true };
  }
  return next(specifier, context);
};

/** A known file's text is the one that was digested. */
export const load: LoadHook = (url, context, next) => {
  const found = sources.get(url);
  return found === undefined ? next(url, context) : { format: found.format, source: found.source, shortCircuit: true };
};
