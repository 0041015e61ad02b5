import type { Services } from '@tbuild/builder';
import { suggest, TbuildError } from '@tbuild/errors';
import { findImage, type ListedImage, type StoredImage } from '@tbuild/images';
import { familiarReference, familiarRepository } from '@tbuild/oci';

type Keeps = (image: ListedImage) => boolean;

/**
 * Returns a filter as `docker images` has it: an image must match one value of each option, and the name if one is
 * given.
 * @throws TbuildError USAGE for an unknown filter, NOT_FOUND for an image to compare with that does not exist.
 */
export function imageFilter(filters: readonly string[], names: readonly string[], services: Services): Keeps {
  const byKind = new Map<string, Keeps[]>();
  for (const text of [...filters, ...names.map((name) => `reference=${name}`)]) {
    const at = text.indexOf('=');
    const kind = at < 0 ? text : text.slice(0, at);
    const make = Object.hasOwn(FILTERS, kind) ? FILTERS[kind] : undefined;
    if (make === undefined || at < 0) throw unknownFilter(text, kind);
    // An image must have all labels.
    const group = kind === 'label' ? text : kind;
    byKind.set(group, [...(byKind.get(group) ?? []), make(text.slice(at + 1), services)]);
  }
  return (image) => [...byKind.values()].every((any) => any.some((keeps) => keeps(image)));
}

const FILTERS: Readonly<Record<string, (value: string, services: Services) => Keeps>> = {
  dangling(value) {
    if (value !== 'true' && value !== 'false')
      throw new TbuildError('USAGE', `Invalid --filter "dangling=${value}": expected true, false`);
    return ({ reference }) => (reference?.tag === undefined) === (value === 'true');
  },
  label(value) {
    const [, name = '', wanted] = /^([^=]*)(?:=(.*))?$/s.exec(value) ?? [];
    return ({ image }) => {
      const { Labels = {} } = image.config.config;
      return Object.hasOwn(Labels, name) && (wanted === undefined || Labels[name] === wanted);
    };
  },
  before(value, services) {
    const limit = createdAt(findImage(value, services).image);
    return ({ image }) => createdAt(image) < limit;
  },
  since(value, services) {
    const limit = createdAt(findImage(value, services).image);
    return ({ image }) => createdAt(image) > limit;
  },
  reference(value) {
    const pattern = pathPattern(value);
    return ({ reference }) =>
      reference !== undefined &&
      (pattern.test(familiarReference({ ...reference, digest: undefined })) ||
        pattern.test(familiarRepository(reference)));
  },
};

/** Returns milliseconds since the epoch; 0 for an image without a creation time. */
export function createdAt({ config }: StoredImage): number {
  return Date.parse(config.created ?? '') || 0;
}

/** Matches like Go's `path.Match`: a star matches anything but a slash. */
export function pathPattern(text: string): RegExp {
  const source = text.replaceAll(/\\.|\[\^?[^\]]+\]|[*?.+^${}()|[\]\\]/g, (part) => {
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    return part.length > 1 ? part : `\\${part}`;
  });
  return new RegExp(`^${source}$`);
}

function unknownFilter(text: string, kind: string): TbuildError {
  const known = Object.keys(FILTERS);
  const near = suggest(kind, known);
  return new TbuildError('USAGE', `Invalid --filter ${JSON.stringify(text)}`, {
    hint: near === undefined ? `Use ${known.map((name) => `${name}=…`).join(', ')}` : `Did you mean ${near}=?`,
  });
}
