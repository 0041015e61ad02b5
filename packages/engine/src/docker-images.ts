import { openDockerEngine } from './docker-engine.ts';
import type { EngineAddress } from './engine-address.ts';
import type { ImageEngine } from './image-engine.ts';
import type { Programs } from './program-output.ts';

/**
 * Returns the images of a Docker, or of a Podman that answers as one. Does not connect yet.
 * @throws TbuildError UNSUPPORTED for an address of another kind.
 */
export function dockerImages(address: EngineAddress, programs: Programs, name = 'Docker'): ImageEngine {
  const engine = openDockerEngine(address, programs);
  return {
    name: `${name} at ${address.host}`,
    find: (image, signal) => engine.image(image, signal),
    save: (id, signal) => engine.saveImage(id, signal),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}
