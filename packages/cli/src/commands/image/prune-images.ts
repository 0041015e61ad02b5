import { pruneStore } from '@tbuild/gc';
import { listImages } from '@tbuild/images';
import { familiarReference } from '@tbuild/oci';
import { formatBytes } from '@tbuild/tui';
import { parseUntil } from '../../flags/sizes.ts';
import { storeCommand } from '../store-command.ts';
import { confirmed } from '../store/confirmed.ts';
import { createdAt } from './image-filter.ts';

export const pruneImages = storeCommand({
  summary: 'Remove images without a name; the build cache stays',
  usage: 'image prune [OPTIONS]',
  flags: {
    all: { kind: 'switch', short: 'a', help: 'Remove images with a name too' },
    filter: { kind: 'list', value: 'until=SPAN', help: 'Remove only images that are older, such as until=24h' },
    force: { kind: 'switch', short: 'f', help: 'Do not ask' },
  },
  takes: [0, 0],
  async run({ flags: { all = false, filter = [], force }, services, env }) {
    const limit = services.now() - Math.max(0, ...parseUntil(filter));
    const what = all ? 'all images' : 'images without a name';
    if (force !== true && !(await confirmed(what, env))) return 1;
    const old = listImages(services).filter(({ image }) => createdAt(image) <= limit);
    const named = all ? old.flatMap(({ reference }) => reference ?? []) : [];
    for (const reference of services.refs.remove(named))
      env.stdout.write(`Untagged: ${familiarReference(reference)}\n`);
    const unnamed = old.filter(({ reference }) => reference === undefined);
    const dropped = new Set(services.refs.drop(unnamed.map(({ target }) => target.digest)));
    for (const { target, image } of unnamed)
      if (dropped.has(target.digest)) env.stdout.write(`Deleted: ${image.manifest.config.digest}\n`);
    const { bytes } = await pruneStore(services, { keepUnnamed: true });
    env.stdout.write(`Total reclaimed space: ${formatBytes(bytes)}\n`);
  },
});
