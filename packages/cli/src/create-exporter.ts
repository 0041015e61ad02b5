import type { OutputSpec, Worker } from '@tbuild/builder';
import {
  createLayerVariants,
  dockerArchive,
  imageStore,
  load,
  localTree,
  ociArchive,
  ociLayout,
  push,
  tarTree,
  type Exporter,
} from '@tbuild/exporter';
import { TbuildError } from '@tbuild/errors';
import type { Reference } from '@tbuild/oci';
import type { Environment } from './environment.ts';
import { openDestination } from './open-destination.ts';
import { runProgram } from './run-program.ts';

export interface ExporterContext extends Pick<Worker, 'root' | 'content' | 'refs' | 'openRepository' | 'flavour'> {
  readonly env: Environment;
}

/** The exporters of one output; several are done one after the other. */
export function createExporters(output: OutputSpec, context: ExporterContext): readonly Exporter[] {
  const { content, refs, root, flavour, env } = context;
  const store = { content, variants: createLayerVariants(root) };
  switch (output.type) {
    case 'image': {
      const { type: _, push: pushes, store: keep = true, byDigest = false, names: __, ...format } = output;
      const openRepository = (reference: Reference) => context.openRepository(reference, 'push');
      const kept = keep && !byDigest ? [imageStore({ content, refs, store, ...format })] : [];
      return pushes ? [...kept, push({ openRepository, store, byDigest, ...format })] : kept;
    }
    case 'docker': {
      const { type: _, destination: path, names: __, ...format } = output;
      return [
        path === undefined
          ? loadIntoEngine(env)
          : dockerArchive({ destination: openDestination(path, env), store, ...format }),
      ];
    }
    case 'oci': {
      const { type: _, destination: path, tar, names: __, ...format } = output;
      if (tar) return [ociArchive({ destination: openDestination(path, env), store, ...format })];
      if (path === '-')
        throw new TbuildError('USAGE', 'An OCI layout directory cannot be written to standard output', {
          hint: 'Name it with dest=',
        });
      return [ociLayout({ destination: path, store, ...format })];
    }
    case 'tar':
      return [
        tarTree({
          destination: openDestination(output.destination, env),
          flavour,
          platformSplit: output.platformSplit,
        }),
      ];
    case 'local':
      return [
        localTree({ destination: output.destination, flavour, owner: env.owner, platformSplit: output.platformSplit }),
      ];
    case 'cacheonly':
      return [];
  }
}

function loadIntoEngine(env: Environment): Exporter {
  const { DOCKER_HOST } = env.variables;
  return load({
    dockerHost: DOCKER_HOST ?? 'unix:///var/run/docker.sock',
    dockerOnly: DOCKER_HOST !== undefined,
    run: (args, options) => runProgram(args, options, env),
  });
}
