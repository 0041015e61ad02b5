import { renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { eventually } from '../support/eventually.ts';
import { processesNaming } from '../support/leftovers.ts';
import { runChecked } from '../support/run-process.ts';
import type { Site } from './operations.ts';

/** Runs something in a copy of a site, at its path, to learn how it goes. The site itself stays as it is. */
export async function rehearse<T>({ directory }: Site, run: () => Promise<T>): Promise<T> {
  const saved = `${directory}.saved`;
  const isAtRest = () => processesNaming(directory).length === 0;
  await eventually(isAtRest);
  renameSync(directory, saved);
  await runChecked('cp', ['-a', saved, directory]);
  try {
    return await run();
  } finally {
    await eventually(isAtRest);
    await rm(directory, { recursive: true, maxRetries: 10 });
    renameSync(saved, directory);
  }
}
