/** The newer mount interface takes one option at a time, of at most this many bytes. */
export const OPTION_LIMIT = 255;

/**
 * Splits a `lowerdir` that is too long for the newer mount interface into one option per directory, which Linux 6.8
 * accepts.
 */
export function splitLongLowers(options: readonly string[]): readonly string[] {
  return options.flatMap((option) => {
    if (!option.startsWith('lowerdir=') || Buffer.byteLength(option) <= OPTION_LIMIT) return [option];
    return lowersOf(option.slice('lowerdir='.length)).map((lower) => `lowerdir+=${lower}`);
  });
}

/** Colons separate directories unless a backslash precedes them. */
function lowersOf(value: string): string[] {
  const parts = value.match(/(?:\\.|[^:\\])+/gs) ?? [];
  return parts.map((part) => part.replace(/\\(.)/gs, '$1'));
}
