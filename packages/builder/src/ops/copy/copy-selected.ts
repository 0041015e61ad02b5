import { chmodSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import { runCooperatively } from '@tbuild/concurrency';
import { typeOf } from '@tbuild/context';
import { copyFiles } from '@tbuild/copy';
import { createTreeWriter, openLayeredTree } from '@tbuild/snapshot';
import type { OpEnvironment, Underway } from '../op-environment.ts';
import type { FileInput } from './file-input.ts';

/**
 * Copies the single file or directory that a mount shows to `name` in the directory `upper`. Keeps its mode and owner,
 * except for a root directory, which is the same wherever it comes from.
 */
export async function copySelected(
  input: FileInput,
  upper: string,
  name: string,
  { services, signal }: Pick<OpEnvironment, 'services'> & Underway,
): Promise<void> {
  const { flavour } = services;
  const writer = createTreeWriter({ upper, lowers: [], flavour });
  const tree = openLayeredTree([upper], flavour);
  const keepOwner = input.owner === 'keep';
  const sources = await input.select();
  const options = { owner: undefined, hasher: input.hasher, now: services.now() };
  await runCooperatively(copyFiles(sources, writer, tree, { destination: `/${name}`, keepOwner }, options), signal);
  writer.finish();
  const { path = '', stats } = sources[0]?.entry ?? {};
  if (stats === undefined || path === '' || typeOf(stats) !== 'directory') return;
  const top = join(upper, name);
  if (keepOwner) chownSync(top, stats.uid, stats.gid);
  chmodSync(top, stats.mode & 0o7777);
}
