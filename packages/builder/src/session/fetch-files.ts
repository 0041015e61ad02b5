import { openContext } from '@tbuild/context';
import { hasCode } from '@tbuild/errors';
import type { BuildRun } from '../build-run.ts';
import type { BuildRequest } from '../request.ts';
import { fetchContext, type FetchPorts } from './fetch-context.ts';

/** Files that were fetched from a server. */
export interface FetchedFiles {
  /** Returns the text of a file, or undefined if there is none. Links cannot lead out of the directory. */
  readText(path: string): string | undefined;
}

/**
 * Fetches the main context of a request, which is on a server.
 * @throws TbuildError as a build does.
 */
export async function fetchFiles(request: BuildRequest, ports: FetchPorts, run: BuildRun): Promise<FetchedFiles> {
  const readSecret = (id: string): Buffer | undefined => run.readSecret?.(id);
  const { progress, signal } = run;
  await using local = await fetchContext(request, ports, { progress, signal, now: ports.now, readSecret });
  const { context } = local.request;
  if (context.kind !== 'directory' || context.fetched !== 'kept') throw new Error('Expected a context on a server');
  const files = openContext(context.path, { ignoreFiles: false });
  return {
    readText(path) {
      try {
        return files.readText(path);
      } catch (error) {
        if (hasCode(error, 'NOT_FOUND')) return undefined;
        throw error;
      }
    },
  };
}
