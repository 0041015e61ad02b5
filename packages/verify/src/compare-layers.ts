import type { Provider } from '@tbuild/content';
import type { Descriptor } from '@tbuild/oci';
import { explainContent } from './explain-content.ts';
import { readFiles, type LayerListing, type LayerMember } from './read-layer.ts';

/** What is different about a file. */
export type Aspect =
  | 'added'
  | 'removed'
  | 'type'
  | 'content'
  | 'mode'
  | 'owner'
  | 'time'
  | 'link'
  | 'device'
  | 'attributes';

/** One difference between two layers. */
export interface FileDifference {
  /** Absolute. */
  readonly path: string;
  readonly aspect: Aspect;
  /** The value in each layer, where it has one that people can read. */
  readonly first?: string;
  readonly second?: string;
  /** What the content differs in, such as `time inside the file`. */
  readonly cause?: string;
  /** How to make the step reproducible. */
  readonly advice?: string;
}

/** A layer, and where it is read. */
export interface OpenLayer {
  readonly descriptor: Descriptor;
  readonly content: Provider;
  readonly listing: LayerListing;
}

/** Returns the differences between two layers by path. None for archives that differ in nothing but their form. */
export async function compareLayers(
  first: OpenLayer,
  second: OpenLayer,
  signal: AbortSignal,
): Promise<readonly FileDifference[]> {
  const [before, after] = [first.listing.members, second.listing.members];
  const paths = [...new Set([...before.keys(), ...after.keys()])].toSorted((a, b) => (a < b ? -1 : 1));
  const found = paths.flatMap((path) => differencesOf(path, before.get(path), after.get(path)));
  return withCauses(found, [first, second], signal);
}

function differencesOf(
  path: string,
  before: LayerMember | undefined,
  after: LayerMember | undefined,
): readonly FileDifference[] {
  if (before === undefined) return [{ path, aspect: 'added', ...shown(undefined, after?.type) }];
  if (after === undefined) return [{ path, aspect: 'removed', ...shown(before.type, undefined) }];
  if (before.type !== after.type) return [{ path, aspect: 'type', ...shown(before.type, after.type) }];
  return ASPECTS.flatMap(([aspect, print]) =>
    print(before) === print(after) ? [] : [{ path, aspect, ...shown(print(before), print(after)) }],
  );
}

const ASPECTS: readonly (readonly [Aspect, (member: LayerMember) => string])[] = [
  ['content', ({ content, size }) => (content === '' ? '' : `${size} bytes, sha256:${content}`)],
  ['mode', ({ mode }) => `0${mode.toString(8)}`],
  ['owner', ({ owner }) => owner],
  ['link', ({ link }) => link],
  ['device', ({ device }) => device],
  ['attributes', ({ attributes }) => attributes],
  ['time', ({ time }) => timeText(time)],
];

function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace('.000Z', 'Z');
}

function shown(first: string | undefined, second: string | undefined): Pick<FileDifference, 'first' | 'second'> {
  return { ...(first === undefined ? {} : { first }), ...(second === undefined ? {} : { second }) };
}

/** Larger files are not looked into. */
const LARGEST = 8 << 20;
const MOST_FILES = 200;

async function withCauses(
  found: readonly FileDifference[],
  layers: readonly [OpenLayer, OpenLayer],
  signal: AbortSignal,
): Promise<readonly FileDifference[]> {
  const small = found.filter(
    ({ path, aspect }) =>
      aspect === 'content' && layers.every(({ listing }) => (listing.members.get(path)?.size ?? 0) <= LARGEST),
  );
  const paths = new Set(small.slice(0, MOST_FILES).map(({ path }) => path));
  const [before, after] = await Promise.all(
    layers.map(({ descriptor, content }) => readFiles(paths, descriptor, { from: content, signal })),
  );
  return found.map((difference) => {
    if (difference.aspect !== 'content') return difference;
    const { path } = difference;
    return { ...difference, ...explainContent(path, before?.get(path), after?.get(path)) };
  });
}
