import { resolve } from 'node:path';
import type { Services } from '@tbuild/builder';
import { lazily } from '@tbuild/concurrency';
import { TbuildError } from '@tbuild/errors';
import { saveImages } from '@tbuild/exporter';
import { findImage, listImages, readImage, type StoredImage } from '@tbuild/images';
import {
  formatPlatform,
  formatReference,
  formatRepository,
  parsePlatform,
  parseReference,
  selectPlatform,
  type Platform,
} from '@tbuild/oci';
import { openDestination } from '../../services/open-destination.ts';
import { storeCommand } from '../store-command.ts';

export const save = storeCommand({
  summary: 'Write images of the store to an archive, for docker load, podman load and tbuild load',
  usage: 'save [OPTIONS] IMAGE...',
  flags: {
    output: { kind: 'text', short: 'o', value: 'FILE', help: 'Write to this file (default: standard output)' },
    platform: { kind: 'text', value: 'OS/ARCH', help: "Choose a platform of several (default: the machine's)" },
  },
  takes: [1, Infinity],
  async run({ flags, words, services, env, signal }) {
    const wanted = flags.platform === undefined ? undefined : parsePlatform(flags.platform, services.platform);
    const list = lazily(() => listImages(services));
    const images = words
      .flatMap((word) => namesOf(word, services))
      .map((word) => {
        const { references, target } = findImage(word, services, list);
        const image = readImage(target, services, wanted);
        if (wanted !== undefined) requirePlatform(image, wanted, word);
        return { ...image, names: references };
      });
    const destination = openDestination(flags.output === undefined ? '-' : resolve(env.cwd, flags.output), env);
    await saveImages(images, { content: services.content, destination, signal });
  },
});

function requirePlatform({ config }: StoredImage, wanted: Platform, name: string): void {
  if (selectPlatform([config.platform], (platform) => platform, wanted) !== undefined) return;
  throw new TbuildError('NOT_FOUND', `Image ${JSON.stringify(name)} has no variant for ${formatPlatform(wanted)}`, {
    hint: `Use --platform ${formatPlatform(config.platform)}`,
  });
}

/** Returns the names that a name without a tag stands for: all tags of its repository, as with Docker. */
function namesOf(word: string, { refs }: Pick<Services, 'refs'>): readonly string[] {
  if (/[:@]/.test(word.slice(word.lastIndexOf('/') + 1))) return [word];
  const repository = formatRepository(parseReference(word));
  const tagged = refs
    .list()
    .filter(({ reference }) => reference.tag !== undefined && formatRepository(reference) === repository);
  return tagged.length === 0 ? [word] : tagged.map(({ reference }) => formatReference(reference));
}
