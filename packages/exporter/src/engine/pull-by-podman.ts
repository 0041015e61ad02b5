import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalStore } from '@tbuild/content';
import { makeDirectory } from '@tbuild/linux';
import { familiarReference, hexOf, type Digest, type Reference } from '@tbuild/oci';
import type { EncodedExport } from '../encode/encode-export.ts';
import type { ExportRun } from '../exporter.ts';
import type { NamedExport, ProgramPorts } from './loading-program.ts';

/**
 * Lets Podman read an image out of the store, of which it takes only the layers that it lacks. Returns whether it did: a
 * Podman of another machine cannot, and layers of the base image may not be in the store.
 */
export async function pullByPodman(
  { encoded, names }: NamedExport,
  { programs: { run, cwd }, content, directory }: ProgramPorts,
  { report, signal }: ExportRun,
): Promise<boolean> {
  const tags = names.filter(({ tag }) => tag !== undefined).map(podmanName);
  const ids = encoded.images.map(({ config }) => hexOf(config.descriptor.digest));
  makeDirectory(directory);
  const image = mkdtempSync(join(directory, 'podman-'));
  // Podman leaves its temporary files when it is ended.
  const podman = async (...args: readonly string[]): Promise<boolean> =>
    (await run(['env', `TMPDIR=${image}`, 'podman', ...args], { cwd, signal })).exitCode === 0;
  try {
    writeImageDirectory(image, encoded, content);
    report('loading into Podman', 0);
    const isLoaded =
      (await podman('pull', '--quiet', `dir:${image}`)) &&
      (tags.length === 0 || (await podman('tag', ...ids, ...tags)));
    report('loading into Podman', 0, 0);
    return isLoaded;
  } finally {
    rmSync(image, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Returns the name that `podman load` gives an image. */
function podmanName(reference: Reference): string {
  const name = familiarReference({ ...reference, digest: undefined });
  return reference.registry === 'docker.io' ? `localhost/${name}` : name;
}

/**
 * Writes an image as the transport `dir:` has it, with links for its layers. Unlike an image layout, that may be of Docker's
 * types, and Podman knows the health check of no other.
 */
function writeImageDirectory(directory: string, { root, documents, layers }: EncodedExport, content: LocalStore): void {
  const pathOf = (digest: Digest): string => join(directory, hexOf(digest));
  for (const { descriptor, bytes } of documents) writeFileSync(pathOf(descriptor.digest), bytes);
  for (const { digest } of layers) symlinkSync(content.path(digest), pathOf(digest));
  symlinkSync(hexOf(root.digest), join(directory, 'manifest.json'));
  writeFileSync(join(directory, 'version'), 'Directory Transport Version: 1.1\n');
}
