import { imagesOf, type LayoutImage, readLayer } from '../../support/layout.ts';
import { readTar, type TarMember } from '../../support/tar-archive.ts';
import { fileState } from './known-states.ts';

/** What an image adds to its base. */
export interface ImageFiles {
  /** Returns what a path is, in the words of {@link KnownStates}. */
  stateOf(path: string): string;
  textOf(path: string): string;
  /** Returns a path and those below it with their states. */
  below(path: string): readonly (readonly [path: string, state: string])[];
}

/** Reads the image in a layout, whose layers only add files. */
export function filesIn(layout: string): ImageFiles {
  const image = imageIn(layout);
  const files = new Map<string, TarMember>();
  for (const layer of image.manifest.layers)
    for (const member of readTar(readLayer(layout, layer))) files.set(member.name.replace(/\/$/, ''), member);
  return {
    stateOf: (path) => stateOf(files.get(path)),
    textOf: (path) => files.get(path)?.data.toString() ?? '',
    below: (path) =>
      [...files]
        .filter(([each]) => each === path || each.startsWith(`${path}/`))
        .map(([each, member]) => [each, stateOf(member)]),
  };
}

/** Returns the digest of the manifest in a layout. */
export function digestIn(layout: string): string {
  return imageIn(layout).manifestDescriptor.digest;
}

function imageIn(layout: string): LayoutImage {
  const [image] = imagesOf(layout);
  if (image === undefined) throw new Error(`${layout} has no image`);
  return image;
}

function stateOf(member: TarMember | undefined): string {
  if (member === undefined) return 'absent';
  const { type, data, linkName } = member;
  return { '0': fileState(data), '2': `link to ${linkName}`, '5': 'directory', '6': 'FIFO' }[type] ?? `of type ${type}`;
}
