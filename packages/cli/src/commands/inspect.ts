import { findImage, listImages, type FoundImage, type Worker } from '@tbuild/builder';
import { familiarReference, familiarRepository, type Reference } from '@tbuild/oci';
import { formatFlags, jsonLines, storeCommand, wantsJson } from '../store-command.ts';

export const inspect = storeCommand({
  summary: 'Show everything about images, as JSON',
  usage: 'inspect [OPTIONS] IMAGE...',
  flags: { ...formatFlags },
  takes: [1, Infinity],
  run({ flags, words, worker, env }) {
    const documents = words.map((word) => describe(findImage(word, worker), worker));
    env.stdout.write(wantsJson(flags.format) ? jsonLines(documents) : `${JSON.stringify(documents, null, 4)}\n`);
  },
});

/** In the words of `docker image inspect`. */
function describe({ target, image: { descriptor, manifest, config } }: FoundImage, worker: Worker): object {
  const names = listImages(worker)
    .filter((one) => one.target.digest === target.digest)
    .map(({ reference }) => reference);
  return {
    Id: manifest.config.digest,
    RepoTags: names.map(familiarReference),
    RepoDigests: [...new Set(names.map((name: Reference) => `${familiarRepository(name)}@${target.digest}`))],
    Comment: config.history.at(-1)?.comment ?? '',
    Created: config.created ?? '',
    Author: config.author ?? '',
    Config: config.config,
    Architecture: config.platform.architecture,
    ...(config.platform.variant === undefined ? {} : { Variant: config.platform.variant }),
    Os: config.platform.os,
    Size: manifest.layers.reduce((sum, { size }) => sum + size, 0),
    RootFS: { Type: 'layers', Layers: config.diffIds },
    Descriptor: { mediaType: descriptor.mediaType, digest: target.digest, size: target.size },
    ...(manifest.annotations === undefined ? {} : { Annotations: manifest.annotations }),
  };
}
