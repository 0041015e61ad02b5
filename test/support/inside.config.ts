import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { patience } from './patience.ts';

/** For suites inside a container, which has nothing to set up or install, and a read-only clone. */
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
