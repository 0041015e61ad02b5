import { readFileSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { eventually } from '../support/eventually.ts';
import { processesNaming } from '../support/leftovers.ts';
import { runChecked } from '../support/run-process.ts';
import type { Operation, Site } from './operations.ts';
import { runTbuild } from './run-tbuild.ts';
import { ONE_THREAD, traced } from './strace.ts';

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

/** Rehearses an operation and returns the log of its system calls `calls`, which it leaves in `log`. */
export function rehearseCalls(
  site: Site,
  operation: Operation,
  { calls, log }: { readonly calls: string; readonly log: string },
): Promise<string> {
  return rehearse(site, async () => {
    const env = { ...operation.env, ...ONE_THREAD };
    await runTbuild(site, operation.arguments(site), { through: traced(log, calls), env });
    return readFileSync(log, 'utf8');
  });
}
