import { hasCode } from '@tbuild/errors';
import { familiarReference } from '@tbuild/oci';
import { storeCommand } from '../store-command.ts';
import { eachImage } from './each-image.ts';
import { removeImage } from './remove-image.ts';

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
    try {
      await eachImage(words, (name) => {
        const { references, id } = removeImage(name, flags.force ?? false, services);
        for (const reference of references) env.stdout.write(`Untagged: ${familiarReference(reference)}\n`);
        if (id !== undefined) env.stdout.write(`Deleted: ${id}\n`);
      });
    } catch (error) {
      if (flags.force !== true || !hasCode(error, 'NOT_FOUND')) throw error;
      env.stderr.write(`${error.message}\n`);
    }
  },
});
