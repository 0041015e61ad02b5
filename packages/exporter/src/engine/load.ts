import { TbuildError } from '@tbuild/errors';
import { familiarReference, type Reference } from '@tbuild/oci';
import { dockerArchiveOf } from '../archive/docker-archive.ts';
import { exportedTo } from '../encode/encode-export.ts';
import type { Exporter } from '../exporter.ts';
import { openDockerEngine } from './docker-engine.ts';

/** Runs one of the user's programs with `input` on its standard input; returns its exit code and its output. */
export type RunProgram = (
  args: readonly string[],
  options: { readonly input?: AsyncIterable<Uint8Array>; readonly signal: AbortSignal },
) => Promise<{ readonly exitCode: number; readonly output: string }>;

const NAME = 'exporting to docker image format';

/** Loads the image into a Docker Engine at `unix:///path` or `tcp://host:port`; the archive never becomes a file. */
export function dockerLoad({ host }: { readonly host: string }): Exporter {
  return loader(`Docker at ${host}`, async (archive, { id, names, signal }) => {
    const engine = openDockerEngine(host);
    if (id === undefined || !(await engine.tagImage(id, names, signal))) await engine.loadImage(archive, signal);
  });
}

/** Loads the image with `podman load`. */
export function podmanLoad({ run }: { readonly run: RunProgram }): Exporter {
  return loader('Podman', async (input, { signal }) => {
    const { exitCode, output } = await run(['podman', 'load', '--quiet'], { input, signal });
    if (exitCode !== 0)
      throw new TbuildError('PROCESS_FAILED', `podman load exited with code ${exitCode}: ${output.trim()}`);
  });
}

export interface LoadOptions {
  /** The address at which to look for Docker. */
  readonly dockerHost: string;
  /** Use only Docker, because the user named its address. */
  readonly dockerOnly?: boolean;
  readonly run: RunProgram;
}

/**
 * Loads the image into a Docker that answers, else into Podman.
 * @throws TbuildError UNSUPPORTED when there is neither.
 */
export function load({ dockerHost, dockerOnly = false, run }: LoadOptions): Exporter {
  return {
    name: NAME,
    async export(result, report, signal) {
      const failure = await openDockerEngine(dockerHost).ping(signal);
      if (failure === undefined) return dockerLoad({ host: dockerHost }).export(result, report, signal);
      if (dockerOnly || !(await hasPodman(run, signal))) throw failure;
      return podmanLoad({ run }).export(result, report, signal);
    },
  };
}

async function hasPodman(run: RunProgram, signal: AbortSignal): Promise<boolean> {
  try {
    return (await run(['podman', '--version'], { signal })).exitCode === 0;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/** The image in an archive. */
interface ToLoad {
  /** Its ID; undefined when there are several. */
  readonly id?: string;
  readonly names: readonly Reference[];
  readonly signal: AbortSignal;
}

function loader(engine: string, send: (archive: AsyncIterable<Uint8Array>, image: ToLoad) => Promise<void>): Exporter {
  return {
    name: NAME,
    async export(result, report, signal) {
      const { encoded, bytes } = await dockerArchiveOf(result, {}, { report, signal });
      const [id, ...others] = encoded.images.map(({ config }) => config.descriptor.digest);
      await send(bytes, { id: others.length === 0 ? id : undefined, names: result.names, signal });
      const names = result.names.map(familiarReference).join(', ') || id;
      return exportedTo(`${names} in ${engine}`, encoded);
    },
  };
}
