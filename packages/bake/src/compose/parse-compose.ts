import { messageOf, TbuildError } from '@tbuild/errors';
import { isCollection, isPair, isScalar, parseDocument, visit, type CollectionTag, type Document } from 'yaml';
import { errorAt, type BakeFile } from '../source.ts';
import { interpolate, type Lookup } from './interpolate.ts';

/** A mapping of a YAML file as plain data. */
export type Mapping = Readonly<Record<string, unknown>>;

export const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A compose file as plain data, and as a document that knows places. */
export interface ParsedCompose {
  readonly file: BakeFile;
  readonly document: Document;
  readonly data: Mapping;
  /** The places, as names from the top, whose values replace those of the files before, instead of being joined to them. */
  readonly replaced: readonly (readonly string[])[];
}

/**
 * Parses a compose file, with anchors, merge keys and interpolation.
 * @throws TbuildError BAKE_FILE, with the place.
 */
export function parseCompose(file: BakeFile, lookup: Lookup): ParsedCompose {
  const document = parseDocument(file.text, {
    merge: true,
    logLevel: 'error',
    customTags: (tags) => [...tags, ...REPLACING],
  });
  const [error] = document.errors;
  if (error !== undefined) {
    const [start, end] = error.pos;
    throw errorAt(
      { file, span: { start, end: Math.max(end, start + 1) } },
      `Invalid YAML: ${error.message.split('\n', 1)[0]?.replace(/ at line .*/, '') ?? ''}`,
    );
  }
  refuseOtherKeys(document, file);
  interpolateScalars(document, file, lookup);
  const data: unknown = toData(document, file);
  if (isMapping(data)) return { file, document, data, replaced: replacedIn(document) };
  throw errorAt(
    { file, span: { start: 0, end: 1 } },
    'The compose file is not a mapping',
    'Write services: at the top',
  );
}

const [RESET, OVERRIDE] = ['!reset', '!override'] as const;
const COLLECTIONS: readonly CollectionTag['collection'][] = ['map', 'seq'];
const REPLACING = [
  { tag: RESET, resolve: () => null },
  { tag: OVERRIDE, resolve: (text: string) => text },
  ...COLLECTIONS.flatMap((collection): CollectionTag[] => [
    { tag: RESET, collection, resolve: () => null },
    { tag: OVERRIDE, collection, resolve: (value) => value },
  ]),
];

/** Mappings in the keys of each other would also take time without end. */
function refuseOtherKeys(document: Document, file: BakeFile): void {
  visit(document, {
    Pair(_, { key }) {
      if (!isCollection(key)) return;
      const [start = 0] = key.range ?? [];
      throw errorAt({ file, span: { start, end: start + 1 } }, 'A key must be a name, not a mapping or list');
    },
  });
}

function replacedIn(document: Document): readonly (readonly string[])[] {
  const places: string[][] = [];
  visit(document, {
    Pair(_, { key, value }, path) {
      const tag = typeof value === 'object' && value !== null && 'tag' in value ? value.tag : undefined;
      if (tag !== RESET && tag !== OVERRIDE) return;
      const above = path.flatMap((node) => (isPair(node) ? [String(node.key)] : []));
      places.push([...above, String(key)]);
    },
  });
  return places;
}

function interpolateScalars(document: Document, file: BakeFile, lookup: Lookup): void {
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('$')) return;
      const [start = 0, end = start + 1] = node.range ?? [];
      try {
        node.value = interpolate(node.value, lookup);
      } catch (error) {
        throw error instanceof TbuildError ? errorAt({ file, span: { start, end } }, error.message, error.hint) : error;
      }
      if (isScalar(node)) node.source = undefined;
    },
  });
}

/** Too many aliases are an attack: small texts can stand for gigabytes. */
function toData(document: Document, file: BakeFile): unknown {
  try {
    return document.toJS({ maxAliasCount: 1000 });
  } catch (cause) {
    throw new TbuildError('BAKE_FILE', `Invalid YAML in ${JSON.stringify(file.name)}: ${messageOf(cause)}`, { cause });
  }
}
