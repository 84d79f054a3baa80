// Compiles every src/**/kernel.as.ts (AssemblyScript) to a kernel.wasm.ts beside it, which exports the module's bytes.
// The result is committed, so that a build needs only `tsc`; a test compiles again and compares.
//   node .ci/build-kernels.mjs           writes what changed
//   node .ci/build-kernels.mjs --check   exits with 1 where a committed file is not what its source compiles to
// Paths of sources after it limit it to these.
import { readFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));

// No runtime, no garbage collector: kernels keep their data at fixed places in linear memory and do not allocate.
const flags = [
  '-O3',
  '--converge',
  '--noAssert',
  '--runtime',
  'stub',
  '--use',
  'abort=',
  '--enable',
  'simd',
  '--enable',
  'bulk-memory',
];

/** Paths of all kernels, relative to the project's root, sorted. */
export function kernelSources() {
  return readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
    .map((path) => `src/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('/kernel.as.ts'))
    .sort();
}

/** Compiles one kernel and returns the text of its `kernel.wasm.ts`. */
export async function compileKernel(source) {
  let binary;
  const { error, stderr } = await asc.main([source.replace(/\.ts$/, ''), '--outFile', 'kernel.wasm', ...flags], {
    readFile: (name) => (existsSync(root + name) ? readFileSync(root + name, 'utf8') : null),
    writeFile: (_name, contents) => {
      binary = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined) throw new Error(`${source}: ${stderr.toString()}`, { cause: error });
  const base64 = Buffer.from(binary).toString('base64');
  return `// Generated from kernel.as.ts by \`npm run kernels\`. Do not edit.\nexport const kernelWasm =\n  '${base64}';\n`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const named = process.argv.slice(2).filter((argument) => argument !== '--check');
  for (const source of named.length > 0 ? named : kernelSources()) {
    const target = source.replace(/\.as\.ts$/, '.wasm.ts');
    const text = await compileKernel(source);
    const same = existsSync(root + target) && readFileSync(root + target, 'utf8') === text;
    if (same) continue;
    if (process.argv.includes('--check')) {
      process.exitCode = 1;
      console.error(`${target} is not what ${source} compiles to: run npm run kernels`);
    } else {
      writeFileSync(root + target, text);
      console.log(`${target}: ${Math.round(text.length / 1024)} KiB`);
    }
  }
}
