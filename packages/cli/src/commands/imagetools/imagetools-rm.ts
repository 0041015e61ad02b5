import { hasCode, TbuildError, visibleLine } from '@tbuild/errors';
import { newestTime, readPlace } from '@tbuild/images';
import { familiarReference, parseReference, type Reference } from '@tbuild/oci';
import { registryFlags } from '../../flags/registry-flags.ts';
import { parseUntil } from '../../flags/sizes.ts';
import { pathPattern } from '../image/image-filter.ts';
import { storeCommand, type StoreCall } from '../store-command.ts';

const flags = {
  'dry-run': { kind: 'switch', help: 'Print the names only' },
  filter: {
    kind: 'list',
    value: 'until=SPAN',
    help: 'Remove only images that were created, and caches whose newest step ran, longer ago, such as until=30d',
  },
  ...registryFlags,
} as const;

export const rm = storeCommand({
  summary: 'Remove tags from registries',
  usage: 'imagetools rm [OPTIONS] NAME:TAG...',
  flags,
  takes: [1, Infinity],
  async run(call) {
    const spans = parseUntil(call.flags.filter ?? []);
    const limit = spans.length === 0 ? undefined : call.services.now() - Math.max(...spans);
    for (const text of call.words)
      for (const reference of await namedBy(text, call))
        if (limit === undefined || (await isOlder(reference, limit, call))) await remove(reference, call);
  },
});

type Call = StoreCall<typeof flags>;

/** Returns the references that a name stands for: its tag may be a pattern. */
async function namedBy(text: string, { services, signal, env }: Call): Promise<readonly Reference[]> {
  const [, name, tag] = /^([^@]+):([^/:@]+)$/.exec(text) ?? [];
  if (name === undefined || tag === undefined)
    throw new TbuildError('USAGE', `Invalid name ${JSON.stringify(text)}: expected NAME:TAG`, {
      hint: 'TAG may be a pattern, such as "mr-*"; quote it for the shell',
    });
  if (!/[*?[]/.test(tag)) return [parseReference(text)];
  const reference = parseReference(name);
  const pattern = pathPattern(tag);
  const repository = await services.openRepository(reference, 'delete');
  const tags = await repository.tags(signal).catch((error: unknown) => {
    // Nothing was pushed to it yet.
    if (hasCode(error, 'NOT_FOUND')) return [];
    throw error;
  });
  const matching = tags.filter((one) => pattern.test(one)).toSorted();
  if (matching.length === 0) env.stderr.write(`No tag matches ${text}\n`);
  return matching.map((one) => ({ ...reference, tag: one }));
}

/** Decides whether all that a tag names was made before a time. What does not tell its time stays. */
async function isOlder(reference: Reference, limit: number, { services, env, signal }: Call): Promise<boolean> {
  try {
    const newest = await newestTime(await readPlace({ kind: 'registry', reference }, services, signal), signal);
    return newest !== undefined && newest < limit;
  } catch (error) {
    if (!(error instanceof TbuildError) || signal.aborted) throw error;
    env.stderr.write(`Kept ${familiarReference(reference)}: ${visibleLine(error.message)}\n`);
    return false;
  }
}

async function remove(
  reference: Reference,
  { flags: { 'dry-run': isDry }, services, env, signal }: Call,
): Promise<void> {
  const repository = await services.openRepository(reference, 'delete');
  if (isDry !== true) await repository.untag(reference.tag ?? '', signal);
  env.stdout.write(`${isDry === true ? 'Would remove' : 'Removed'} ${familiarReference(reference)}\n`);
}
