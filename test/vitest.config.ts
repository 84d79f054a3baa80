import { defineConfig } from 'vitest/config';

// The tests import ../dist: they test what is shipped, worker threads included. `npm test` builds first.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Node loads what is built, as it does for users; Vite would transform all of it again for every test file.
    server: { deps: { external: [/\/dist\//] } },
    maxWorkers: 2,
  },
});
