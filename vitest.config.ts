import { defineConfig } from 'vitest/config';

export default defineConfig({
  oxc: { target: 'node20' },
  test: {
    include: ['packages/*/src/**/*.test.{ts,tsx}', 'test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // ink draws otherwise in continuous integration, where the fuzzer is given a minute instead of a moment.
    env: { CI: 'false', TBUILD_FUZZ_SECONDS: process.env.TBUILD_FUZZ_SECONDS ?? (process.env.CI ? '60' : '3') },
    pool: 'forks',
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
});
