import type { OutputSpec, Worker } from '@tbuild/builder';
import {
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
import { createLayerVariants, requireCompression } from '@tbuild/layers';
import type { Reference } from '@tbuild/oci';
import { dockerHost } from '../config/docker-context.ts';
import type { Environment } from '../config/environment.ts';
import { openDestination } from './open-destination.ts';
import { runProgram } from './run-program.ts';

export interface ExporterContext extends Pick<Worker, 'store' | 'content' | 'refs' | 'openRepository' | 'flavour'> {
  readonly env: Environment;
}

/** The exporters of one output; several are done one after the other. */
export function createExporters(output: OutputSpec, context: ExporterContext): readonly Exporter[] {
  const { content, refs, flavour, env } = context;
  const store = { content, variants: createLayerVariants(context.store) };
  switch (output.type) {
    case 'image': {
      const {
        type: _,
        push: pushes,
        store: keep = true,
        byDigest = false,
        names: __,
        insecure: ___,
        ...format
      } = output;
      requireCompression(format);
      const openRepository = (reference: Reference) => context.openRepository(reference, 'push');
      // The store keeps what is pushed, so that its digest is the registry's.
      const { compression = pushes ? 'gzip' : undefined } = format;
      const kept = keep && !byDigest ? [imageStore({ content, refs, store, ...format, compression })] : [];
      return pushes ? [...kept, push({ openRepository, store, byDigest, ...format })] : kept;
    }
    case 'docker': {
      const { type: _, destination: path, engineContext, names: __, ...format } = output;
      requireCompression(format);
      return [
        path === undefined
          ? loadIntoEngine(engineContext, env)
          : dockerArchive({ destination: openDestination(path, env), store, ...format }),
      ];
    }
    case 'oci': {
      const { type: _, destination: path, tar, names: __, ...format } = output;
      requireCompression(format);
      return [
        tar
          ? ociArchive({ destination: openDestination(path, env), store, ...format })
          : ociLayout({ destination: path, store, ...format }),
      ];
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
        localTree({
          destination: output.destination,
          mode: output.mode,
          flavour,
          owner: env.owner,
          platformSplit: output.platformSplit,
        }),
      ];
    case 'cacheonly':
      return [];
  }
}

function loadIntoEngine(engineContext: string | undefined, env: Environment): Exporter {
  const host = dockerHost(engineContext, env);
  return load({
    dockerHost: host ?? 'unix:///var/run/docker.sock',
    dockerOnly: host !== undefined,
    run: (args, options) => runProgram(args, options, env),
  });
}
