import { defineConfig } from 'vitest/config';
import { patience } from './test/support/patience.ts';

export default defineConfig({
  oxc: { target: 'node20' },
  test: {
    include: ['packages/*/src/**/*.test.{ts,tsx}', 'test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // ink draws otherwise in continuous integration, where the fuzzer is given a minute instead of a moment.
    env: { CI: 'false', TBUILD_FUZZ_SECONDS: process.env.TBUILD_FUZZ_SECONDS ?? (process.env.CI ? '60' : '3') },
    pool: 'forks',
    maxWorkers: 3,
    // They end what hangs, and are no measure of speed: far longer than anything takes, and longer still on a loaded machine.
    testTimeout: 180_000 * patience,
    hookTimeout: 300_000 * patience,
  },
});
