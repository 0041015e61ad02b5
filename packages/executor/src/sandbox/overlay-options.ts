/** The newer mount interface takes one option at a time, of at most this many bytes. */
export const OPTION_LIMIT = 255;

/**
 * The options of an overlay with a `lowerdir` that is too long for the newer mount interface split
 * into one option a directory, which Linux 6.8 understands.
 */
export function splitLongLowers(options: readonly string[]): readonly string[] {
  return options.flatMap((option) => {
    if (!option.startsWith('lowerdir=') || Buffer.byteLength(option) <= OPTION_LIMIT) return [option];
    return lowersOf(option.slice('lowerdir='.length)).map((lower) => `lowerdir+=${lower}`);
  });
}

/** Colons divide directories unless a backslash stands before them. */
function lowersOf(value: string): string[] {
  const parts = value.match(/(?:\\.|[^:\\])+/gs) ?? [];
  return parts.map((part) => part.replace(/\\(.)/gs, '$1'));
}
