/**
 * The files of a person's module: it and every local file that it imports, with types stripped, and the identity that
 * follows from them. What runs are the bytes that were digested, not what stands on the disk later.
 * @module
 */
import { builtinModules } from 'node:module';
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, extname, join, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { init, parse } from 'es-module-lexer';
import { HoldoutError } from '../errors.ts';
import { type CodeFile, type CodeRecord, bytesId, codePath, readCodeFile, sortFiles } from './code-identity.ts';
import { stripTypes, syntaxErrorIn } from './strip-types.ts';

/** A local file as a worker loads it. */
export interface ModuleSource {
  readonly url: string;
  readonly format: 'module' | 'json';
  readonly source: string;
}

/** A module with all that it imports. */
export interface ModuleGraph {
  /** URL of the module. */
  readonly entry: string;
  readonly sources: readonly ModuleSource[];
  readonly code: CodeRecord;
}

const localFilesMax = 10_000;
const extensions = ['.ts', '.mts', '.js', '.mjs'];

/** Modules of Node that reach nothing outside the process, and hang on no clock and no chance of their own. */
const innerBuiltins = new Set(
  'assert assert/strict buffer events path path/posix path/win32 punycode querystring stream stream/promises string_decoder url util util/types zlib'.split(
    ' ',
  ),
);

/**
 * Follows the imports of a module.
 * @param declared whether the files that the module reads are declared, so that reading files counts in the identity
 * @throws HoldoutError NOT_FOUND for a file or package that is not there; INPUT_INVALID with file and line for text that
 *   is no module; USAGE for imports that no identity could cover; LIMIT, IO
 */
export async function readModuleGraph(projectRoot: string, path: string, declared: boolean): Promise<ModuleGraph> {
  await init();
  const entry = resolve(projectRoot, path);
  if (!extensions.includes(extname(entry))) {
    throw new HoldoutError('USAGE', `${path} is no module: its name ends in none of ${extensions.join(', ')}`, {
      hint: 'A program in another language is a step as `command`.',
    });
  }
  const sources: ModuleSource[] = [];
  const files: CodeFile[] = [];
  const packages = new Set<string>();
  const builtins = new Set<string>();
  const unvouched = new Set<string>();
  const seen = new Set([entry]);
  const open = [entry];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    const shown = codePath(projectRoot, file);
    const bytes = await readCodeFile(file, shown);
    files.push({ path: shown, sha256: bytesId(bytes) });
    if (files.length > localFilesMax)
      throw new HoldoutError('LIMIT', `${path} imports more than ${localFilesMax} files`);
    const url = pathToFileURL(file).href;
    if (extname(file) === '.json') {
      sources.push({ url, format: 'json', source: bytes.toString() });
      continue;
    }
    const source = stripTypes(bytes.toString(), shown);
    sources.push({ url, format: 'module', source });
    for (const found of importsOf(source, shown)) {
      const place = { file: shown, line: found.line };
      if (isBuiltin(found.name)) builtins.add(found.name.replace(/^(?!node:)/, 'node:'));
      else if (/^\.{0,2}\//.test(found.name) || found.name.startsWith('file:')) {
        const target = await localFile(file, found.name, place);
        if (!seen.has(target)) open.push(target);
        seen.add(target);
      } else {
        const { label, linked } = await packageOf(file, found.name, place);
        packages.add(label);
        if (linked)
          unvouched.add(`package ${label} is a link to a folder, so that its version says nothing of its code`);
      }
    }
  }
  for (const name of builtins) {
    const inner = innerBuiltins.has(name.slice('node:'.length)) || (declared && /^node:fs(?:\/promises)?$/.test(name));
    if (!inner) unvouched.add(`it imports ${name}, and what it does with that is not known`);
  }
  const code = {
    files: sortFiles(files),
    packages: [...packages].toSorted(),
    builtins: [...builtins].toSorted(),
    fingerprint: null,
    unvouched: [...unvouched].toSorted(),
  };
  return { entry: pathToFileURL(entry).href, sources, code };
}

function isBuiltin(name: string): boolean {
  return name.startsWith('node:') || builtinModules.includes(name);
}

interface FoundImport {
  readonly name: string;
  readonly line: number;
}

/** The names that a module imports. @throws HoldoutError INPUT_INVALID, USAGE */
function importsOf(source: string, shown: string): FoundImport[] {
  const lineAt = (offset: number): number => source.slice(0, offset).split('\n').length;
  let imports: ReturnType<typeof parse>[0];
  try {
    [imports] = parse(source, shown);
  } catch (error) {
    const told = syntaxErrorIn(source, shown);
    if (told !== null) throw told;
    const index = error instanceof Error && 'idx' in error ? Number(error.idx) : 0;
    throw new HoldoutError('INPUT_INVALID', 'this is no module that can be read', {
      file: shown,
      line: lineAt(index),
      hint: 'A step is an ES module: `export default (row) => …`.',
      cause: error,
    });
  }
  return imports.flatMap((each): FoundImport[] => {
    if (each.type === 'import-meta') return [];
    const line = lineAt(each.importStart);
    if (each.specifier !== undefined) return [{ name: each.specifier, line }];
    throw new HoldoutError('USAGE', 'import() of a name that is known only when it runs', {
      file: shown,
      line,
      hint: "The step's identity must name all its code: import by a literal name.",
    });
  });
}

/** The file that a relative import means; `./x.js` may mean `./x.ts`, as in TypeScript. */
async function localFile(from: string, name: string, place: { file: string; line: number }): Promise<string> {
  if (/[?#]/.test(name)) throw new HoldoutError('USAGE', `cannot import ${name}: a file has no ? and no #`, place);
  const target = fileURLToPath(new URL(name, pathToFileURL(from)));
  const typed = target.replace(/\.(m?)js$/, '.$1ts');
  for (const candidate of [target, typed]) {
    if (!(await isFile(candidate))) continue;
    if ([...extensions, '.json'].includes(extname(candidate))) return candidate;
    throw new HoldoutError(
      'USAGE',
      `cannot import ${name}: local files are ES modules (${extensions.join(', ')}) or .json`,
      place,
    );
  }
  throw new HoldoutError('NOT_FOUND', `cannot import ${name}: no such file`, {
    ...place,
    ...(extname(target) === '' ? { hint: 'Imports name files with their ending, such as "./text.ts".' } : {}),
  });
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
}

/** Name and version of the package that an import means. @throws HoldoutError NOT_FOUND, USAGE */
async function packageOf(
  from: string,
  specifier: string,
  place: { file: string; line: number },
): Promise<{ readonly label: string; readonly linked: boolean }> {
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
  if (name.startsWith('#') || /^[a-z]+:/.test(name)) {
    throw new HoldoutError('USAGE', `cannot import ${specifier}: only files, packages and modules of Node`, place);
  }
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const home = join(folder, 'node_modules', name);
    const text = await readFile(join(home, 'package.json'), 'utf8').catch(() => null);
    const version = text === null ? undefined : versionIn(text);
    if (version !== undefined) {
      const linked = !(await realpath(home)).split(sep).includes('node_modules');
      return { label: `${name}@${version}`, linked };
    }
    if (dirname(folder) === folder) break;
  }
  throw new HoldoutError('NOT_FOUND', `cannot import ${specifier}: no package "${name}" is installed here`, {
    ...place,
    hint: `npm install ${name}`,
  });
}

function versionIn(packageJson: string): string | undefined {
  try {
    const { version } = JSON.parse(packageJson) as { version?: unknown };
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}
