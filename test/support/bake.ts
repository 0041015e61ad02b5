import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { baseImage } from './base-images.ts';
import { imageWithId, readLayer } from './layout.ts';
import type { ProcessResult } from './run-process.ts';
import { scratchDirectory } from './scratch.ts';
import { defaultStore, runTbuild, type TbuildOptions } from './tbuild.ts';
import { treeOfLayers, type ImageTree } from './tree.ts';

/** A run of `tbuild bake`. */
export interface Bake extends ProcessResult {
  readonly directory: string;
  readonly store: string;
  /** Returns the document of `--metadata-file`. */
  metadata(): Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Writes files to a new directory. */
export function bakeDirectory(files: Readonly<Record<string, string>>): string {
  const directory = scratchDirectory('bake');
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return directory;
}

/** Runs `tbuild bake` in a directory. Every target can build on `busybox`. */
export async function runBake(
  directory: string,
  args: readonly string[] = [],
  options: TbuildOptions = {},
): Promise<Bake> {
  const store = options.store ?? defaultStore();
  const metadataFile = join(scratchDirectory('metadata'), 'metadata.json');
  const image = baseImage('busybox');
  const common = ['--progress', 'plain', '--metadata-file', metadataFile, '--allow', `fs.read=${image}`];
  const words = ['bake', ...common, '--set', `*.contexts.busybox=oci-layout://${image}`, ...args];
  const ran = await runTbuild(words, { ...options, store, cwd: directory });
  return { ...ran, directory, store, metadata: () => JSON.parse(readFileSync(metadataFile, 'utf8')) };
}

/** Returns the files of an image that a bake made: that of a name. */
export function imageTree(bake: Bake, name: string): ImageTree {
  const documents = Object.values(bake.metadata());
  const names = (document: (typeof documents)[number]): string[] => String(document['image.name']).split(',');
  const full = name.split('/').length > 1 ? `docker.io/${name}` : `docker.io/library/${name}`;
  const tagged = full.includes(':') ? full : `${full}:latest`;
  const found = documents.find((document) => names(document).includes(tagged));
  if (found === undefined) throw new Error(`No target made ${tagged}:\n${bake.stderr}`);
  const { layout, manifest } = imageWithId(bake.store, String(found['containerimage.config.digest']));
  return treeOfLayers(manifest.layers.map((layer) => readLayer(layout, layer)));
}
