import { pullImage } from '@tbuild/images';
import {
  familiarReference,
  formatReference,
  layerCompression,
  parsePlatform,
  parseReference,
  type Descriptor,
} from '@tbuild/oci';
import { acquireLease, afterRemovals } from '@tbuild/store';
import { registryFlags } from '../../flags/registry-flags.ts';
import { createTransferLines } from '../../print/transfer-lines.ts';
import { storeCommand } from '../store-command.ts';

export const pull = storeCommand({
  summary: 'Fetch images from registries into the store',
  usage: 'pull [OPTIONS] NAME[:TAG|@DIGEST]...',
  flags: {
    'all-platforms': { kind: 'switch', help: 'Fetch the images of all platforms, and their index' },
    platform: {
      kind: 'text',
      value: 'OS/ARCH',
      help: "Fetch the image for this platform (default: the machine's own)",
    },
    quiet: { kind: 'switch', short: 'q', help: 'Print only the full name' },
    ...registryFlags,
  },
  takes: [1, Infinity],
  async run({ flags, words, services, env, signal }) {
    using _lease = acquireLease(services.store);
    await afterRemovals(services.store, { now: () => services.now(), signal });
    const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform, services.platform);
    for (const name of words) {
      const reference = parseReference(name);
      if (flags.quiet !== true) env.stderr.write(`Pulling ${familiarReference(reference)}\n`);
      using lines = createTransferLines({ out: env.stderr, now: services.now });
      const onProgress = ({ mediaType, digest, size }: Descriptor, bytes: number): void => {
        if (flags.quiet !== true && layerCompression(mediaType) !== undefined) lines.report(digest, bytes, size);
      };
      const { digest } = await pullImage(reference, services, {
        platform: flags['all-platforms'] === true ? 'all' : platform,
        signal,
        onProgress,
      });
      if (flags.quiet !== true) env.stdout.write(`Digest: ${digest}\n`);
      env.stdout.write(`${formatReference(reference)}\n`);
    }
  },
});
