import type { ImageComparison } from './compare-images.ts';

/** What not to count. */
export interface Ignored {
  /** Times of files, and times in the configuration. */
  readonly times: boolean;
  /** Absolute paths; a directory stands for everything in it. `*` stands for any characters but a slash. */
  readonly paths: readonly string[];
}

/** The comparison that is left, and whether nothing is. */
export interface NormalisedComparison {
  readonly equal: boolean;
  /** How many differences were left out. */
  readonly ignored: number;
  readonly comparison: ImageComparison;
}

/** Leaves differences out of a comparison. Problems of layers, such as damage, always count. */
export function ignoreDifferences(comparison: ImageComparison, { times, paths }: Ignored): NormalisedComparison {
  const patterns = paths.map(patternOf);
  let ignored = 0;
  const keep = (isKept: boolean): boolean => {
    if (!isKept) ignored += 1;
    return isKept;
  };
  const layers = comparison.layers.map((layer) => {
    const files = layer.files.filter(({ path, aspect }) =>
      keep(!((times && aspect === 'time') || patterns.some((pattern) => pattern.test(path)))),
    );
    const wasCompared = layer.first !== undefined && layer.second !== undefined && layer.files.length > 0;
    return {
      ...layer,
      files,
      equal: layer.equal || (wasCompared && files.length === 0 && layer.problem === undefined),
    };
  });
  const config = comparison.config.filter(({ isTime }) => keep(!(times && isTime)));
  const equal = config.length === 0 && layers.every((layer) => layer.equal);
  return { equal, ignored, comparison: { ...comparison, layers, config } };
}

function patternOf(path: string): RegExp {
  const literal = path.replace(/\/+$/, '').replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  const wild = literal.replaceAll('**', '\0').replaceAll('*', '[^/]*').replaceAll('\0', '.*');
  return new RegExp(`^${wild.startsWith('/') ? '' : '/'}${wild}(?:/.*)?$`);
}
