import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { patience } from './patience.ts';

/** For suites that run inside a container: there is nothing to set up or to install, and the clone cannot be written to. */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  oxc: { target: 'node20' },
  cacheDir: '/tmp/vitest',
  test: {
    include: ['packages/executor/src/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 180_000 * patience,
  },
});
