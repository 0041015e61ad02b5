import { copyImage } from '@tbuild/content';
import { compressStored, pushStored } from '@tbuild/exporter';
import { findImage } from '@tbuild/images';
import { createLayerVariants } from '@tbuild/layers';
import { familiarReference, parseReference, type Reference } from '@tbuild/oci';
import { acquireLease, afterRemovals } from '@tbuild/store';
import { registryFlags } from '../../flags/registry-flags.ts';
import { createTransferLines } from '../../print/transfer-lines.ts';
import { storeCommand } from '../store-command.ts';

export const push = storeCommand({
  summary: 'Push images of the store to the registries of their names',
  usage: 'push [OPTIONS] NAME[:TAG]...',
  flags: {
    quiet: { kind: 'switch', short: 'q', help: 'Print only the digest' },
    ...registryFlags,
  },
  takes: [1, Infinity],
  async run({ flags, words, services, env, signal }) {
    using _lease = acquireLease(services.store);
    await afterRemovals(services.store, { now: () => services.now(), signal });
    const store = { content: services.content, variants: createLayerVariants(services.store) };
    for (const word of words) {
      const reference = parseReference(word);
      const { target } = findImage(word, services);
      const stored = await compressStored(target, store, { signal });
      using lines = createTransferLines({ out: env.stderr, now: services.now });
      const report = (item: string, current: number, total?: number): void => {
        if (flags.quiet !== true && item.startsWith('sha256:')) lines.report(item, current, total ?? Infinity);
      };
      const openRepository = (name: Reference) => services.openRepository(name, 'push');
      await pushStored(stored, [reference], { openRepository, report, signal });
      // The name now refers to the pushed image, whose digest differs when layers had to be compressed.
      await copyImage(stored.root, { from: stored.content, to: services.content }, { signal });
      if (services.refs.get(reference)?.digest === target.digest)
        services.refs.set([{ reference, target: stored.root }]);
      env.stdout.write(
        flags.quiet === true
          ? `${stored.root.digest}\n`
          : `${familiarReference(reference)}: digest: ${stored.root.digest} size: ${stored.root.size}\n`,
      );
    }
  },
});
