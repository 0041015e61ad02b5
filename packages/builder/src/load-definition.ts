import type { BuildEnvironment } from './build-run.ts';
import { parseDefinition, readDefinition, type LoadedDockerfile } from './load-dockerfile.ts';
import type { BuildRequest } from './request.ts';
import { track } from './track.ts';

/** The Dockerfile of a request, loaded and read, shown as one step. */
export function loadDefinition(env: BuildEnvironment): Promise<LoadedDockerfile> {
  const { request, progress } = env;
  const step = definitionStep(request);
  return track(env, step, async (report) => {
    const definition = readDefinition(request);
    env.onDefinition?.(definition);
    report('transferring dockerfile', definition.size);
    const loaded = parseDefinition(definition, request);
    if (loaded.syntax !== undefined) {
      const notice = `The frontend ${loaded.syntax} is built in: nothing is pulled for it\n`;
      progress.emit({ type: 'log', step, stream: 'stderr', data: Buffer.from(notice) });
    }
    return loaded;
  });
}

/** The name of the step that loads the Dockerfile, which is its id too. */
export function definitionStep({ dockerfile }: BuildRequest): string {
  const name = dockerfile.kind === 'inline' ? dockerfile.name : fileName(dockerfile);
  return `[internal] load build definition from ${name}`;
}

function fileName(dockerfile: BuildRequest['dockerfile']): string {
  const path = dockerfile.kind === 'file' ? dockerfile.path : undefined;
  return path?.split('/').at(-1) ?? 'Dockerfile';
}
