import { createReadStream, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type LocalStore, useStored } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { openArchive } from '@tbuild/images';
import { familiarReference, isIndex, parseDescriptor, parseManifest, type Descriptor } from '@tbuild/oci';
import type { FindEngineImage } from '@tbuild/sources';
import { type StoreLayout, writeAtomically } from '@tbuild/store';
import type { Environment } from '../config/environment.ts';
import { openOutside } from './run-program.ts';

interface Kept {
  readonly store: StoreLayout;
  readonly content: LocalStore;
}

/**
 * Opens the engine whose images come first where `TBUILD_ENGINE_IMAGES` asks for that, as Docker's own builder does. An
 * image is fetched from the engine once.
 */
export function openEngineImages(env: Environment, kept: Kept): FindEngineImage | undefined {
  if (env.variables.TBUILD_ENGINE_IMAGES !== 'docker') return undefined;
  const docker = (args: readonly string[], signal: AbortSignal) =>
    openOutside(env).run(['docker', ...args], { cwd: env.cwd, signal });
  return async (reference, { os, architecture }, signal) => {
    const name = familiarReference(reference);
    const asked = await docker(['image', 'inspect', '--format', '{{.Id}} {{.Os}} {{.Architecture}}', name], signal);
    const [id = '', ...platform] = Buffer.from(asked.stdout).toString('utf8').trim().split(' ');
    if (asked.exitCode !== 0 || platform.join('/') !== `${os}/${architecture}`) return undefined;
    const memo = kept.store.resolvedReference(`docker ${id}`);
    const known = recall(memo, kept);
    if (known !== undefined) return known;
    const file = join(kept.store.run, `engine-image-${process.pid}-${id.slice(-12)}.tar`);
    try {
      const { exitCode, stderr } = await docker(['save', '--output', file, name], signal);
      if (exitCode !== 0) throw notSaved(name, stderr);
      const { images } = await openArchive(createReadStream(file), kept, signal);
      const target = images[0]?.target;
      if (target !== undefined) writeAtomically(memo, JSON.stringify(target));
      return target;
    } finally {
      rmSync(file, { force: true });
    }
  };
}

function notSaved(name: string, stderr: Uint8Array): TbuildError {
  return new TbuildError(
    'PROCESS_FAILED',
    `docker save ${JSON.stringify(name)} failed: ${Buffer.from(stderr).toString('utf8').trim()}`,
  );
}

/** Returns an image that was fetched before, if all of it is still in the store. */
function recall(memo: string, { content }: Kept): Descriptor | undefined {
  const target = readDescriptor(memo);
  const bytes = target === undefined ? undefined : useStored(content, target.digest);
  if (bytes === undefined) return undefined;
  const manifest = parseManifest(bytes);
  if (isIndex(manifest)) return undefined;
  const isWhole = [manifest.config, ...manifest.layers].every(({ digest, size }) => content.use(digest, size));
  return isWhole ? target : undefined;
}

function readDescriptor(file: string): Descriptor | undefined {
  try {
    return parseDescriptor(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
