import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { patience } from './test/support/patience.ts';

/** Tests of packages that need something of the machine say so with `needs`, or are the suite of the executors, which does. */
const needsMachine = readdirSync(join(import.meta.dirname, 'packages'), { recursive: true, encoding: 'utf8' })
  .filter((path) => /^[\w-]+\/src\/.*\.test\.tsx?$/.test(path))
  .map((path) => join('packages', path))
  .filter((path) => /\bneeds\b.*requirements\.ts'|\bexecutorSuite\b/.test(readFileSync(path, 'utf8')));

const faults = 'test/e2e/faults/*.test.ts';

/** `unit` needs nothing but the npm packages; the others root, Debian's packages and the services that they start. */
const projects = [
  {
    name: 'unit',
    include: ['packages/*/src/**/*.test.{ts,tsx}', 'test/*.test.ts'],
    exclude: needsMachine,
  },
  { name: 'conformance', include: [...needsMachine, 'test/conformance/*.test.ts', 'test/support/*.test.ts'] },
  { name: 'e2e', include: ['test/e2e/**/*.test.ts'], exclude: [faults] },
  { name: 'faults', include: [faults, 'test/faults/*.test.ts'] },
];

const { version, config } = JSON.parse(readFileSync(join(import.meta.dirname, 'packages/cli/package.json'), 'utf8'));

export default defineConfig({
  // As the bundler does.
  define: { TBUILD_VERSION: JSON.stringify(version), TBUILD_IMAGE: JSON.stringify(`${config.image}:${version}`) },
  oxc: { target: 'node20' },
  test: {
    reporters: ['default', './test/support/skip-reporter.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // ink draws otherwise in continuous integration, and a disk that is nearly full must not change what is in a cache.
    env: { CI: 'false', TBUILD_MIN_FREE_SPACE: '0' },
    pool: 'forks',
    maxWorkers: 3,
    // They end what hangs, and are no measure of speed: far longer than anything takes, and longer still on a loaded machine.
    testTimeout: 180_000 * patience,
    hookTimeout: 300_000 * patience,
    projects: projects.map((test) => ({ extends: true as const, test })),
  },
});
