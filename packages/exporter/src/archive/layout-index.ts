import { Annotation, type Descriptor, formatReference, indexStruct, MediaType, type Reference } from '@tbuild/oci';

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
      [Annotation.containerdName]: formatReference(reference),
      ...(reference.tag === undefined ? {} : { [Annotation.refName]: reference.tag }),
    },
  }));
}

/**
 * Returns the entries of an index after `added` have replaced those with the same name or, without a name, of the same
 * image.
 */
export function withEntries(present: readonly Descriptor[], added: readonly Descriptor[]): readonly Descriptor[] {
  const keyOf = ({ annotations = {}, digest }: Descriptor): string =>
    annotations[Annotation.containerdName] ?? annotations[Annotation.refName] ?? digest;
  const replaced = new Set(added.map(keyOf));
  return [...present.filter((entry) => !replaced.has(keyOf(entry))), ...added];
}

/** Returns the entries of an index after the image has taken a tag. */
export function withTag(present: readonly Descriptor[], root: Descriptor, tag: string): readonly Descriptor[] {
  const others = present.filter(({ annotations }) => annotations?.[Annotation.refName] !== tag);
  return [...others, { ...root, annotations: { ...root.annotations, [Annotation.refName]: tag } }];
}
