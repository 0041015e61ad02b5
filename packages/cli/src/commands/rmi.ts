import { findImage } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { familiarReference } from '@tbuild/oci';
import { describeFlags, parseArgs, type Flags } from '../args.ts';
import { createWorker } from '../create-worker.ts';
import { storeFlags } from '../store-flags.ts';
import { storeRoot } from '../store-root.ts';
import type { Command } from './command.ts';

const flags = {
  force: { kind: 'switch', short: 'f', help: 'Remove an image by ID even if it has several names' },
  ...storeFlags,
} as const satisfies Flags;

export const rmi: Command = {
  summary: 'Remove names of images; prune frees what they held',
  async run(argv, env) {
    const { flags: given, positional } = parseArgs(argv, flags);
    if (given.help === true) {
      env.stdout.write(`Usage: tbuild rmi [OPTIONS] IMAGE...\n\nRemove names of images.\n\n${describeFlags(flags)}\n`);
      return 0;
    }
    if (positional.length === 0) throw new TbuildError('USAGE', 'tbuild rmi takes at least one image');
    const worker = createWorker({ root: storeRoot(given.root, env) }, env);
    for (const name of positional) {
      const { references } = findImage(name, worker);
      if (references.length > 1 && given.force !== true) {
        throw new TbuildError(
          'USAGE',
          `Image ${JSON.stringify(name)} has ${references.length} names: ${references.map(familiarReference).join(', ')}`,
          {
            hint: 'Remove them one by one, or use --force',
          },
        );
      }
      for (const reference of references) {
        worker.refs.remove(reference);
        env.stdout.write(`Untagged: ${familiarReference(reference)}\n`);
      }
    }
    return 0;
  },
};
