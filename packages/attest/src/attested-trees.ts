import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, closeSync, mkdirSync, openSync, readSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { platformDirectory, statementOf, type Attestation, type ExportedImage, type Subject } from '@tbuild/exporter';
import { goJson } from '@tbuild/oci';
import { openCommittedTree, type OverlayFlavour } from '@tbuild/snapshot';
import { eachFile } from './find-packages.ts';

/** Images whose trees contain their attestations as files. Disposing removes these files. */
export interface AttestedTrees extends Disposable {
  readonly images: readonly ExportedImage[];
}

/** Names of attestation files. */
export interface AttestationFiles {
  readonly attestationPrefix?: string;
  readonly platformSplit?: boolean;
}

/** Where to write attestation files. */
export interface AttestationPlace {
  /** A directory private to this build. */
  readonly directory: string;
  readonly flavour: OverlayFlavour;
}

/**
 * Adds attestations to trees: `provenance.json` and the like in the root directory, with every file of the tree as a
 * subject. The name is `provenance.linux_amd64.json` where several platforms share the directory.
 */
export function attestedTrees(
  images: readonly ExportedImage[],
  { attestationPrefix = '', platformSplit = images.length > 1 }: AttestationFiles,
  { directory, flavour }: AttestationPlace,
): AttestedTrees {
  const scratch = join(directory, `attestations-${randomBytes(6).toString('hex')}`);
  return {
    images: images.map((image, at) => ({
      ...image,
      async openRootfs(signal) {
        const directories = await image.openRootfs(signal);
        const tree = openCommittedTree(directories, flavour);
        const subjects: Subject[] = [];
        await eachFile(tree, signal, ({ path, location }) =>
          subjects.push({ name: path, digest: { sha256: hashFile(location) } }),
        );
        const own = join(scratch, String(at));
        mkdirSync(own, { recursive: true });
        const platform = images.length > 1 && !platformSplit ? `.${platformDirectory(image.image.platform)}` : '';
        for (const one of (image.attestations ?? []).filter(({ inlineOnly }) => inlineOnly !== true))
          writeFileSync(
            join(own, attestationPrefix + fileName(one, platform)),
            goJson(statementOf(one, subjects), { indent: '  ' }),
            { mode: 0o644 },
          );
        const above = tree.stat('')?.stats;
        chmodSync(own, above?.mode ?? 0o755);
        if (above !== undefined) utimesSync(own, above.atime, above.mtime);
        return [...directories, own];
      },
    })),
    [Symbol.dispose]: () => rmSync(scratch, { recursive: true, force: true }),
  };
}

function fileName({ filename }: Attestation, platform: string): string {
  const extension = extname(filename);
  return filename.slice(0, filename.length - extension.length) + platform + extension;
}

const buffer = Buffer.allocUnsafe(1024 * 1024);

function hashFile(path: string): string {
  const hash = createHash('sha256');
  const fd = openSync(path, 'r');
  try {
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer))
      hash.update(buffer.subarray(0, count));
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}
