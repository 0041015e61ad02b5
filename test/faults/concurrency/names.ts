/** Something that happens at one moment between two others. Milliseconds. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A command gave a name an image, or took the name away, or saw which image it has. */
export interface Use extends Span {
  readonly name: string;
  /** Undefined: none. */
  readonly image: string | undefined;
}

/** A moment after everything. */
export const FINALLY: Span = { start: Infinity, end: Infinity };

/**
 * Returns the images that a name may have at the moment of a span: that of the last change before it, and that of each one
 * that may be before it and the last one. Only one is possible unless changes overlap.
 */
export function possibleImages(changes: readonly Use[], name: string, at: Span): ReadonlySet<string | undefined> {
  const first: Use = { name, image: undefined, start: -Infinity, end: -Infinity };
  const ofName = [first, ...changes.filter((change) => change.name === name)];
  const isReplaced = ({ end }: Use) => ofName.some((later) => later.start > end && later.end < at.start);
  return new Set(ofName.filter((change) => change.start < at.end && !isReplaced(change)).map(({ image }) => image));
}
