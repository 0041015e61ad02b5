import { hasCode, TbuildError } from '@tbuild/errors';
import type { Digest } from '@tbuild/oci';
import { parseImage, type EngineImage, type ImageEngine } from './image-engine.ts';
import { programOutput, type Programs, requireSuccess } from './program-output.ts';

interface Storage {
  /** Asks whether an image is there. */
  look(name: string): readonly string[];
  isThere(answer: { readonly exitCode: number; readonly stdout: string }): boolean;
  inspect(name: string): readonly string[];
  /** Returns the image in what `inspect` prints. */
  read(document: unknown): EngineImage;
  save(id: string): readonly string[];
}

/** The programs that read containers-storage, first choice first. */
const STORAGES: readonly Storage[] = [
  {
    look: (name) => ['podman', 'image', 'exists', name],
    isThere: ({ exitCode }) => exitCode === 0,
    inspect: (name) => ['podman', 'image', 'inspect', name],
    read: (list) => parseImage(Array.isArray(list) ? list[0] : undefined),
    save: (id) => ['podman', 'save', '--format', 'docker-archive', id],
  },
  {
    look: (name) => ['buildah', 'images', '--quiet', '--filter', `reference=${name}`],
    isThere: ({ stdout }) => stdout !== '',
    inspect: (name) => ['buildah', 'inspect', '--type', 'image', name],
    read: readBuildah,
    save: (id) => ['sh', '-c', PUSH, id],
  },
];

/** Buildah opens its standard output by name, which works for a pipe, but not for a socket. Keeps the exit code. */
const PUSH =
  'exec 4>&1; code=$({ { buildah push --quiet "$0" docker-archive:/dev/stdout 3>&-; echo $? >&3; } | cat >&4; } 3>&1); ' +
  'exit "$code"';

/** Returns the images of Podman, Buildah and CRI-O on this machine, read by the first program that is installed. */
export function storageImages(programs: Programs): ImageEngine {
  let used: Storage | undefined;
  return {
    name: 'containers-storage',
    async find(name, signal) {
      for (const storage of STORAGES) {
        try {
          const found = await inspect(storage, name, { programs, signal });
          used = storage;
          return found;
        } catch (error) {
          if (!hasCode(error, 'NOT_FOUND')) throw error;
        }
      }
      throw new TbuildError('UNSUPPORTED', 'Images of containers-storage are read by podman or buildah', {
        hint: 'Install podman or buildah, or write the image to a directory: skopeo copy … oci:DIRECTORY',
      });
    },
    save(id: Digest, signal) {
      if (used === undefined) throw new Error('Expected an image that was found');
      return programOutput(used.save(id.replace(/^sha256:/, '')), programs, signal);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

async function inspect(
  { look, isThere, inspect: describe, read }: Storage,
  name: string,
  { programs, signal }: { readonly programs: Programs; readonly signal: AbortSignal },
): Promise<EngineImage | undefined> {
  const ask = async (args: readonly string[]) => {
    const answer = await programs.run(args, { cwd: programs.cwd, signal });
    return { ...answer, stdout: Buffer.from(answer.stdout).toString('utf8').trim() };
  };
  const answer = await ask(look(name));
  if (answer.exitCode > 1) requireSuccess(look(name), answer);
  if (!isThere(answer)) return undefined;
  const args = describe(name);
  const described = await ask(args);
  requireSuccess(args, described);
  return read(jsonOf(described.stdout, args));
}

function jsonOf(text: string, args: readonly string[]): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TbuildError('PROCESS_FAILED', `${args.join(' ')} printed something that is not JSON`, { cause });
  }
}

function readBuildah(document: unknown): EngineImage {
  const { FromImageID: Id, OCIv1 } = (document ?? {}) as Readonly<Record<string, unknown>>;
  const { os: Os, architecture: Architecture } = (OCIv1 ?? {}) as Readonly<Record<string, unknown>>;
  return parseImage({ Id, Os, Architecture });
}
