import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { processesNaming } from '../support/leftovers.ts';
import { scratchDirectory } from '../support/scratch.ts';
import type { FaultContext } from './fault-row.ts';
import { madeOnce } from './made-once.ts';
import { makeSite, reproducibleBuild, type Variant } from './operations.ts';
import { buildArguments, runGood } from './run-tbuild.ts';

/** What builds come to that nothing disturbs. */
export interface Reference {
  readonly digests: Readonly<Record<Variant, string>>;
  /** The files and directories of a store after everything was removed. */
  readonly emptied: readonly string[];
  /** A docker archive of `app:loaded`. */
  readonly archive: string;
}

/** Makes the reference once for all cases. */
export const reference = madeOnce((context: FaultContext) =>
  makeReference({ ...context, directory: scratchDirectory('reference') }),
);

async function makeReference(context: FaultContext): Promise<Reference> {
  const { directory, signal } = context;
  const archive = join(directory, 'load.tar');
  const site = makeSite({ directory, signal, archive, registry: '' });
  const digest = async (variant: Variant) =>
    manifestOf((await runGood(context, reproducibleBuild(site, variant))).stderr);
  const digests = { a: await digest('a'), b: await digest('b'), large: await digest('large') };
  await runGood(
    context,
    buildArguments(
      join(directory, 'project-a'),
      '--target',
      'build',
      '-o',
      `type=docker,dest=${archive},name=app:loaded`,
    ),
  );
  await runGood(context, ['images']);
  return { digests, archive, emptied: await emptyStore(context) };
}

/** Returns the digest of the manifest that a build exported. */
export function manifestOf(output: string): string {
  return /exporting manifest (?<digest>sha256:\w+)/.exec(output)?.groups?.digest ?? 'no manifest';
}

/** Removes all images and the whole cache: the store has no more files than one in which nothing went wrong. */
export async function requireEmptied(context: FaultContext, when: string): Promise<void> {
  const { emptied } = await reference(context);
  const more = (await emptyStore(context)).filter((path) => !emptied.includes(path));
  if (more.length > 0) context.fail(`${when} these files stay in a store that was emptied`, more.join('\n'));
}

/** Removes all images and the whole cache, and returns what is left in the store: paths below its root. */
async function emptyStore(context: FaultContext): Promise<readonly string[]> {
  const names = (await runGood(context, ['images', '--quiet'])).stdout.split('\n').filter(Boolean);
  if (names.length > 0) await runGood(context, ['rmi', '--force', ...new Set(names)]);
  await runGood(context, ['prune', '--all', '--force']);
  const store = join(context.directory, 'store');
  // A background process of an earlier build may still sync the store.
  await eventually(() => processesNaming(store).length === 0);
  return pathsBelow(store).filter((path) => !KEPT.includes(path));
}

/** Small files that no prune removes. */
const KEPT = ['synced.lock', 'sizes', 'sizes.lock'];

function pathsBelow(directory: string, prefix = ''): readonly string[] {
  return readdirSync(join(directory, prefix))
    .toSorted()
    .flatMap((name) => {
      const path = join(prefix, name);
      const isDirectory = lstatSync(join(directory, path), { throwIfNoEntry: false })?.isDirectory() ?? false;
      return isDirectory ? [`${path}/`, ...pathsBelow(directory, path)] : [path];
    });
}
