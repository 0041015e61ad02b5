import { chmodSync, chownSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { runCooperatively } from '@tbuild/concurrency';
import { typeOf } from '@tbuild/context';
import { copyFiles } from '@tbuild/copy';
import { createTreeWriter, type OverlayFlavour } from '@tbuild/snapshot';
import type { FileInput } from '../../copy/file-input.ts';

/** What copying the files of a mount uses. */
export interface CopySelectedPorts {
  readonly flavour: OverlayFlavour;
  now(): number;
}

/**
 * Copies the single file or directory that a mount shows to `path`. Keeps its mode and owner,
 * except for a root directory, which is the same wherever it comes from.
 */
export async function copySelected(
  input: FileInput,
  path: string,
  { flavour, now, signal }: CopySelectedPorts & { readonly signal: AbortSignal },
): Promise<void> {
  const writer = createTreeWriter({ upper: dirname(path), lowers: [], flavour });
  const keepOwner = input.owner === 'keep';
  const sources = await input.select();
  const options = { owner: undefined, hasher: input.hasher, now: now() };
  await runCooperatively(
    copyFiles(sources, writer, { target: { destination: `/${basename(path)}`, keepOwner }, options }),
    signal,
  );
  writer.finish();
  const { path: selected = '', stats } = sources[0]?.entry ?? {};
  if (stats === undefined || selected === '' || typeOf(stats) !== 'directory') return;
  if (keepOwner) chownSync(path, stats.uid, stats.gid);
  chmodSync(path, stats.mode & 0o7777);
}
