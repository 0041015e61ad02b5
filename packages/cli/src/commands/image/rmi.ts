import { hasCode, visibleLine } from '@tbuild/errors';
import { familiarReference } from '@tbuild/oci';
import { storeCommand } from '../store-command.ts';
import { eachImage } from './each-image.ts';
import { planRemoval } from './plan-removal.ts';

export const rmi = storeCommand({
  summary: 'Remove images or names of images; prune frees their layers',
  usage: 'rmi [OPTIONS] IMAGE...',
  flags: {
    force: {
      kind: 'switch',
      short: 'f',
      help: 'Remove an image by ID even if it has several names; ignore images that do not exist',
    },
    'no-prune': { kind: 'switch', help: 'No effect: only prune frees layers' },
  },
  takes: [1, Infinity],
  async run({ flags, words, services, env }) {
    const removal = planRemoval(flags.force ?? false, services);
    try {
      await eachImage(words, removal.add);
    } catch (error) {
      if (flags.force !== true || !hasCode(error, 'NOT_FOUND')) throw error;
      env.stderr.write(`${visibleLine(error.message)}\n`);
    } finally {
      for (const { references, id } of removal.apply()) {
        for (const reference of references) env.stdout.write(`Untagged: ${familiarReference(reference)}\n`);
        if (id !== undefined) env.stdout.write(`Deleted: ${id}\n`);
      }
    }
  },
});
