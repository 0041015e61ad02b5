/** Annotations of a descriptor, as in the `index.json` of a layout, that name an image. */
export const Annotation = {
  /** "Pre-Defined Annotation Keys". Some tools write a tag, some a whole name. */
  refName: 'org.opencontainers.image.ref.name',
  /** The full reference, as containerd writes it. */
  containerdName: 'io.containerd.image.name',
} as const;
