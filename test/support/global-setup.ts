import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRoot } from './requirements.ts';
import { runDirectoryVariable } from './scratch.ts';
import { serveServices } from './services.ts';

/**
 * Runs once around all tests: installs the Debian packages they need if it may, gives the run a directory and its
 * shared daemons, and removes both afterwards.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const script = join(import.meta.dirname, '../../fixtures/setup.sh');
  const prepared = spawnSync(script, ['test'], { stdio: 'inherit' });
  if (prepared.status !== 0) console.error('Tests that need what is missing are skipped.');

  const directory = mkdtempSync(join(tmpdir(), 'tbuild-run-'));
  chmodSync(directory, 0o755);
  process.env[runDirectoryVariable] = directory;
  const services = await serveServices(directory);
  return async () => {
    await services[Symbol.asyncDispose]();
    remove(directory);
  };
}

/** What an ordinary user's builds wrote belongs to subordinate ids, which only a user namespace may remove. */
function remove(directory: string): void {
  if (isRoot) rmSync(directory, { recursive: true, force: true });
  else spawnSync('unshare', ['--user', '--map-root-user', '--map-auto', 'rm', '-rf', directory]);
}
