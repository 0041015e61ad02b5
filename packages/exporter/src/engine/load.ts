import type { LocalStore } from '@tbuild/content';
import { openDockerEngine, type DockerEngine, type EngineAddress, type Programs } from '@tbuild/engine';
import { TbuildError } from '@tbuild/errors';
import type { Exporter } from '../exporter.ts';
import { loadByProgram, PROGRAMS } from './load-by-program.ts';
import { loadIntoDocker } from './load-into-docker.ts';
import type { LoadingProgram } from './loading-program.ts';

export interface LoadOptions {
  /** Where to look for Docker. */
  readonly docker: EngineAddress & {
    /** Whether the user named the address, so that no other engine is meant. */
    readonly isChosen: boolean;
  };
  /** The engine that the user chose, by its program. */
  readonly engineName?: string;
  readonly programs: Programs;
  /** Has the layers, and keeps the documents of what was loaded, which tell the next time what Docker has. */
  readonly content: LocalStore;
  /** A directory for temporary files, which the user's programs can read. */
  readonly directory: string;
}

/**
 * Loads the image into the engine that the user chose, else into a Docker that answers, else into Podman or nerdctl.
 * @throws TbuildError UNSUPPORTED when there is none.
 */
export function load(options: LoadOptions): Exporter {
  const { docker, content } = options;
  return {
    name: 'exporting to docker image format',
    export(result, report, signal) {
      const run = { report, signal };
      return withEngine(options, signal, {
        program: (program) => loadByProgram(program, { result, ports: options }, run),
        docker: (engine) => loadIntoDocker({ engine, name: `Docker at ${docker.host}`, content }, result, run),
      });
    },
  };
}

/**
 * Checks that the engine takes several platforms, before they are built.
 * @throws TbuildError UNSUPPORTED
 */
export async function requireIndexStore(options: LoadOptions, signal: AbortSignal): Promise<void> {
  const lacking = await withEngine(options, signal, {
    program: async ({ takesIndex, title }) => (takesIndex ? undefined : title),
    docker: async (engine) =>
      (await engine.facts(signal)).hasContainerdStore ? undefined : `Docker at ${options.docker.host}`,
  });
  if (lacking === undefined) return;
  throw new TbuildError('UNSUPPORTED', `${lacking} loads the image of one platform, but several are requested`, {
    hint: 'Use -o type=oci, --push, one platform, or a Docker with the image store of containerd',
  });
}

interface EngineUses<T> {
  program(program: LoadingProgram): Promise<T>;
  docker(engine: DockerEngine): Promise<T>;
}

async function withEngine<T>(
  { docker, engineName, programs }: LoadOptions,
  signal: AbortSignal,
  use: EngineUses<T>,
): Promise<T> {
  const chosen = PROGRAMS.find(({ name }) => name === engineName);
  if (chosen !== undefined) return use.program(chosen);
  await using engine = openDockerEngine(docker, programs);
  const failure = await engine.ping(signal);
  if (failure === undefined) return await use.docker(engine);
  if (docker.isChosen || engineName === 'docker') throw failure;
  for (const program of PROGRAMS) if (await program.isThere(programs, signal)) return await use.program(program);
  throw failure;
}
