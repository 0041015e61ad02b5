import { checkStore } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { acquireLease, afterRemovals } from '@tbuild/store';
import { storeCommand } from '../store-command.ts';

export const fsck = storeCommand({
  summary: 'Check every blob, record and tree of the store for damage',
  usage: 'fsck [OPTIONS]',
  flags: {},
  takes: [0, 0],
  async run({ worker, env, signal }) {
    using _lease = acquireLease(worker.store);
    await afterRemovals(worker.store, { now: () => worker.now(), signal });
    let count = 0;
    for await (const finding of checkStore(worker, signal)) {
      count++;
      env.stdout.write(`${finding}\n`);
    }
    if (count > 0)
      throw new TbuildError('SNAPSHOT', `The store ${JSON.stringify(worker.store.root)} has ${count} damaged entries`, {
        hint: 'Build with --no-cache to make what is damaged again',
      });
    env.stdout.write('The store is sound\n');
  },
});
