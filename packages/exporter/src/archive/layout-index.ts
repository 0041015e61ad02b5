import { formatReference, indexStruct, MediaType, type Descriptor, type Reference } from '@tbuild/oci';

const REF_NAME = 'org.opencontainers.image.ref.name';
const CONTAINERD_NAME = 'io.containerd.image.name';

/** Returns the `index.json` of a layout with one image under all its names, as Docker's builder writes it. */
export function layoutIndex(entries: readonly Descriptor[]): object {
  return indexStruct({ schemaVersion: 2, mediaType: MediaType.index, manifests: entries });
}

/** Returns an entry for each name, or one without a name when there is none. */
export function namedEntries(root: Descriptor, names: readonly Reference[]): readonly Descriptor[] {
  if (names.length === 0) return [root];
  return names.map((reference) => ({
    ...root,
    annotations: {
      ...root.annotations,
      [CONTAINERD_NAME]: formatReference(reference),
      ...(reference.tag === undefined ? {} : { [REF_NAME]: reference.tag }),
    },
  }));
}

/**
 * Returns the entries of an index after `added` have replaced those with the same name or, without a name, of the same
 * image.
 */
export function withEntries(present: readonly Descriptor[], added: readonly Descriptor[]): readonly Descriptor[] {
  const keyOf = ({ annotations = {}, digest }: Descriptor): string =>
    annotations[CONTAINERD_NAME] ?? annotations[REF_NAME] ?? digest;
  const replaced = new Set(added.map(keyOf));
  return [...present.filter((entry) => !replaced.has(keyOf(entry))), ...added];
}

/** Returns the entries of an index after the image has taken a tag. */
export function withTag(present: readonly Descriptor[], root: Descriptor, tag: string): readonly Descriptor[] {
  const others = present.filter(({ annotations }) => annotations?.[REF_NAME] !== tag);
  return [...others, { ...root, annotations: { ...root.annotations, [REF_NAME]: tag } }];
}
