import { defineConfig } from 'vitest/config';
import { SlowestFirst } from './slowest-first.ts';

// The tests import ../dist: they test what is shipped, worker threads included. `npm test` builds first.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // One process takes one test file after the other, and loads DuckDB once: a test that changes what is global (a function
    // of node:fs, the environment) puts it back.
    isolate: false,
    // Node loads what is built, as it does for users; Vite would transform all of it again for every test file.
    server: { deps: { external: [/\/dist\//] } },
    // One more than the smallest machine has cores: some tests wait, for another second or for a time limit.
    maxWorkers: 3,
    sequence: { sequencer: SlowestFirst },
  },
});
