import { formatReference, MediaType, type Descriptor, type Reference } from '@tbuild/oci';

const REF_NAME = 'org.opencontainers.image.ref.name';
const CONTAINERD_NAME = 'io.containerd.image.name';

/** The `index.json` of a layout with one image under all its names, as Docker's builder writes it. */
export function layoutIndex(entries: readonly Descriptor[]): object {
  return { schemaVersion: 2, mediaType: MediaType.index, manifests: entries };
}

/** An entry for each name; one without a name when there is none. */
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

/** The entries of an index after `added` have taken the place of those with the same name, or without name the same image. */
export function withEntries(present: readonly Descriptor[], added: readonly Descriptor[]): readonly Descriptor[] {
  const keyOf = ({ annotations = {}, digest }: Descriptor): string =>
    annotations[CONTAINERD_NAME] ?? annotations[REF_NAME] ?? digest;
  const replaced = new Set(added.map(keyOf));
  return [...present.filter((entry) => !replaced.has(keyOf(entry))), ...added];
}
