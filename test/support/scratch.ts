import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Names the run's directory in the environment; `global-setup.ts` sets it and removes the directory at the end. */
export const runDirectoryVariable = 'TBUILD_TEST_RUN';

/** Creates a directory that ordinary users may enter, removed when the whole run ends. */
export function scratchDirectory(purpose: string): string {
  const directory = mkdtempSync(join(process.env[runDirectoryVariable] ?? tmpdir(), `tbuild-${purpose}-`));
  chmodSync(directory, 0o755);
  return directory;
}
