import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRoot } from './requirements.ts';
import { runDirectoryVariable } from './scratch.ts';
import { serveServices } from './services.ts';

/**
 * Runs around the tests of each project, and acts for the first: gives the run a directory and its shared daemons, and
 * removes both afterwards. It installs nothing: `npm test` does that first, and tests that need something missing are skipped.
 */
export default async function setup(): Promise<() => Promise<void>> {
  if (process.env[runDirectoryVariable] !== undefined) return async () => {};
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
  // A program that has ended may still prepare a faster start in the background.
  if (isRoot) rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  else spawnSync('unshare', ['--user', '--map-root-user', '--map-auto', 'rm', '-rf', directory]);
}
