/** A damaged entry of the store. The message is a sentence. */
export type Damage =
  /** A file, or whatever has its name, that can be made again. */
  | { readonly kind: 'file'; readonly message: string; readonly path: string }
  | { readonly kind: 'tree'; readonly message: string; readonly name: string }
  /** An image with a name, which only another build or pull can repair. */
  | { readonly kind: 'image'; readonly message: string }
  /** A file that is generated from the names of images. */
  | { readonly kind: 'index'; readonly message: string };

/** Says that a file cannot be read as what it should be, such as `Record sha256:…`. */
export function unreadable(what: string, path: string): Damage {
  return { kind: 'file', message: `${what} cannot be read`, path };
}
