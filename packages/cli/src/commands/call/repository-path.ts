import { relative, resolve } from 'node:path';
import type { BuildRequest } from '@tbuild/builder';
import type { Environment } from '../../config/environment.ts';

/**
 * Returns the path of the Dockerfile from the root of the repository, which reports of CI systems name: the directory
 * of the job, else the working directory. `name` is what the Dockerfile is called in messages.
 */
export function repositoryPath(
  { dockerfile, context }: Pick<BuildRequest, 'dockerfile' | 'context'>,
  name: string,
  { variables, cwd }: Pick<Environment, 'variables' | 'cwd'>,
): string {
  if (dockerfile.kind === 'in-context') return dockerfile.path ?? name;
  if (dockerfile.kind !== 'file') return name;
  const path = dockerfile.path ?? (context.kind === 'directory' ? resolve(context.path, name) : name);
  const inside = relative(resolve(cwd, variables.CI_PROJECT_DIR || '.'), path);
  return inside.startsWith('..') ? path : inside;
}
