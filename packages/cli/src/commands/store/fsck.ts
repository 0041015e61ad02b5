import { TbuildError } from '@tbuild/errors';
import { checkStore, repairStore, type Damage, type Repaired } from '@tbuild/gc';
import { acquireLease, afterRemovals } from '@tbuild/store';
import { formatBytes } from '@tbuild/tui';
import { jsonLines } from '../../print/format-output.ts';
import { storeCommand } from '../store-command.ts';

export const fsck = storeCommand({
  summary: 'Check every blob, image name, record, note and tree of the store for damage',
  usage: 'fsck [OPTIONS]',
  flags: {
    full: { kind: 'switch', help: 'Read the contents of all blobs and trees, not only sizes and small files' },
    repair: { kind: 'switch', help: 'Remove damaged entries that can be made again, and what stands on them' },
    format: { kind: 'text', value: 'FORMAT', help: 'Print "text", or "json": a document for each damaged entry' },
  },
  takes: [0, 0],
  async run({ flags: { full = false, repair = false, format = 'text' }, services, env, signal }) {
    if (format !== 'text' && format !== 'json')
      throw new TbuildError('USAGE', `Invalid --format ${JSON.stringify(format)}: expected text or json`);
    const print = (document: object, line: string): void =>
      void env.stdout.write(format === 'json' ? jsonLines([document]) : `${line}\n`);
    using _lease = acquireLease(services.store);
    await afterRemovals(services.store, { now: () => services.now(), signal });
    const since = services.now();
    const damages: Damage[] = [];
    for await (const damage of checkStore(services, { full, signal })) {
      damages.push(damage);
      print(damage, damage.message);
    }
    if (damages.length === 0 && format === 'text') env.stdout.write('The store is sound\n');
    if (damages.length === 0) return;
    if (!repair) throw damaged(damages, services.store.root);
    const repaired = await repairStore(services, damages, { since, signal });
    print({ kind: 'repair', ...repaired }, describe(repaired));
    requireWhole(repaired);
  },
});

function damaged({ length }: readonly Damage[], root: string): TbuildError {
  return new TbuildError(
    'SNAPSHOT',
    `The store ${JSON.stringify(root)} has ${counted(length, 'damaged entry', 'damaged entries')}`,
    { hint: 'Run "tbuild fsck --repair" to remove what can be made again' },
  );
}

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
