import type { Digest } from '@tbuild/oci';

/** The image that an inline cache is in. */
export interface CachedImage {
  /** Its layers. */
  readonly diffIds: readonly Digest[];
  /** `SOURCE_DATE_EPOCH` in milliseconds. */
  readonly latest: number;
  /** Whether the times in its layers were rewritten to that. */
  readonly isRewritten: boolean;
}

interface Members {
  readonly steps: readonly Step[];
  readonly diffIds: readonly Digest[];
}

interface Step {
  readonly key: string;
  readonly result: string;
  readonly parent?: string;
  readonly createdAt: number;
  readonly layer?: number;
}

/**
 * Returns an inline cache for an image with `SOURCE_DATE_EPOCH`, so that it is the same in every build: no time is later. If
 * layers were rewritten, it leaves out steps whose layer the image no longer has, steps whose result has a random name, and
 * what stands on them.
 */
export function fitInlineCache(text: string, { diffIds, latest, isRewritten }: CachedImage): string {
  const document: Members = JSON.parse(Buffer.from(text, 'base64').toString('utf8'));
  const kept = isRewritten ? withoutLost(document, diffIds) : document.steps;
  const used = [...new Set(kept.flatMap(({ layer }) => (layer === undefined ? [] : [layer])))].toSorted(
    (a, b) => a - b,
  );
  const steps = kept.map(({ layer, ...step }) => ({
    ...step,
    createdAt: Math.min(step.createdAt, latest),
    ...(layer === undefined ? {} : { layer: used.indexOf(layer) }),
  }));
  const fitted = { ...document, steps, diffIds: used.map((place) => document.diffIds[place]) };
  return Buffer.from(JSON.stringify(fitted)).toString('base64');
}

function withoutLost({ steps, diffIds: named }: Members, diffIds: readonly Digest[]): readonly Step[] {
  const has = (layer: number): boolean => diffIds.some((diffId) => diffId === named[layer]);
  const isLost = ({ key, result, layer }: Step): boolean => result !== key || (layer !== undefined && !has(layer));
  const lost = new Set(steps.filter(isLost).map(({ result }) => result));
  for (let count = -1; count !== lost.size;) {
    count = lost.size;
    for (const { parent, result } of steps) if (parent !== undefined && lost.has(parent)) lost.add(result);
  }
  return steps.filter(({ result }) => !lost.has(result));
}
