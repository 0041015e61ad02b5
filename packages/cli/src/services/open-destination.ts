import { TbuildError } from '@tbuild/errors';
import type { Destination } from '@tbuild/exporter';
import type { Environment } from '../config/environment.ts';

/**
 * Opens the destination of an archive: an absolute path, or `-` for standard output.
 * @throws TbuildError USAGE when that is a terminal.
 */
export function openDestination(path: string, { stdout }: Pick<Environment, 'stdout'>): Destination {
  if (path !== '-') return path;
  if (stdout.isTTY)
    throw new TbuildError('USAGE', 'Cannot write an archive to a terminal', {
      hint: 'Redirect standard output, or name a file',
    });
  return stdout;
}
