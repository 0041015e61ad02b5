import type { StoreLayout } from '@tbuild/store';
import type { LoadedDockerfile } from '../plan/load-dockerfile.ts';
import type { BuildRequest } from '../request.ts';
import { track, type TrackOptions } from '../track.ts';
import { type ContextPool, createContexts, MAIN_CONTEXT, type Contexts } from './contexts.ts';
import { gitIgnoredWarning } from './git-ignored-warning.ts';

/** Opens the contexts of a build, each on first use. */
export function openContexts(
  { request, loaded }: { readonly request: BuildRequest; readonly loaded: LoadedDockerfile },
  { contextIndex: indexDirectory }: Pick<StoreLayout, 'contextIndex'>,
  { progress, now, pool }: TrackOptions & { readonly pool?: ContextPool },
): Contexts {
  return createContexts({
    specs: { ...request.namedContexts, [MAIN_CONTEXT]: request.context },
    dockerfile: loaded.path,
    ignoreFile: request.ignoreFile,
    indexDirectory,
    pool,
    onGitIgnored: (ignored) => progress.emit(gitIgnoredWarning(ignored)),
    onRead(name, bytes) {
      const title = name === MAIN_CONTEXT ? '[internal] load build context' : `[context ${name}] load from client`;
      void track({ progress, now }, title, async (report) => report('transferring context', bytes));
    },
  });
}
