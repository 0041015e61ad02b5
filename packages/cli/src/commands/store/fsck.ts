import { TbuildError } from '@tbuild/errors';
import { checkStore, repairStore, type Damage, type Repaired } from '@tbuild/gc';
import { acquireLease, afterRemovals } from '@tbuild/store';
import { formatBytes } from '@tbuild/tui';
import { storeCommand } from '../store-command.ts';

export const fsck = storeCommand({
  summary: 'Check every blob, record and tree of the store for damage',
  usage: 'fsck [OPTIONS]',
  flags: {
    repair: { kind: 'switch', help: 'Remove damaged entries that can be made again, and what stands on them' },
  },
  takes: [0, 0],
  async run({ flags: { repair }, services, env, signal }) {
    using _lease = acquireLease(services.store);
    await afterRemovals(services.store, { now: () => services.now(), signal });
    const since = services.now();
    const damages: Damage[] = [];
    for await (const damage of checkStore(services, signal)) {
      damages.push(damage);
      env.stdout.write(`${damage.message}\n`);
    }
    if (damages.length === 0) env.stdout.write('The store is sound\n');
    else if (repair !== true)
      throw new TbuildError(
        'SNAPSHOT',
        `The store ${JSON.stringify(services.store.root)} has ${counted(damages.length, 'damaged entry', 'damaged entries')}`,
        { hint: 'Run "tbuild fsck --repair" to remove what can be made again' },
      );
    else {
      const repaired = await repairStore(services, damages, since);
      env.stdout.write(`${describe(repaired)}\n`);
      requireWhole(repaired);
    }
  },
});

function describe({ files, entries, bytes }: Repaired): string {
  const parts = [
    counted(files, 'damaged file', 'damaged files'),
    `${counted(entries, 'step or tree', 'steps and trees')} (${formatBytes(bytes)})`,
  ];
  return `Removed ${parts.join(' and ')}`;
}

function requireWhole({ inUse, incomplete }: Repaired): void {
  if (inUse > 0)
    throw new TbuildError('SNAPSHOT', `${counted(inUse, 'entry', 'entries')} may be in use by a running build`, {
      hint: 'Run "tbuild fsck --repair" again when no build runs',
    });
  if (incomplete > 0)
    throw new TbuildError('SNAPSHOT', `${counted(incomplete, 'image lacks', 'images lack')} a blob`, {
      hint: 'Build or pull the image again, or remove it with "tbuild rmi"',
    });
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
