import type { Services } from '@tbuild/builder';
import { buildId, findRecord } from '@tbuild/builds';
import type { Environment } from '../config/environment.ts';
import { writeReport } from '../print/result-files.ts';
import { interruptible } from '../services/interruptible.ts';

/**
 * Writes the page of `--report` about a build that ended, if the option is given. A build that did not start has none.
 * @throws TbuildError USAGE for a file that cannot be written.
 */
export async function reportBuild(
  path: string | undefined,
  { ref, services }: { readonly ref: string; readonly services: Services },
  { cwd }: Pick<Environment, 'cwd'>,
): Promise<void> {
  const record = path === undefined ? undefined : findRecord(services.store, buildId(ref));
  if (path === undefined || record === undefined) return;
  // Only a build with a page loads what makes pages.
  const { buildPage } = await import('./build-page.ts');
  writeReport(await interruptible((signal) => buildPage(record, services, signal)), path, cwd);
}
