import { isAlias, isMap, isNode, isScalar, isSeq, type Node, type Pair } from 'yaml';
import type { Place, Span } from '../source.ts';
import type { ParsedCompose } from './parse-compose.ts';

/** Names that lead from the top of a file to a value. An item of a list is named by its text, or the name in NAME=VALUE. */
export type Path = readonly string[];

/** Where a value is. */
export interface FoundPlace {
  readonly value: Place;
  readonly name: Place;
  /** How many names of the path led there. */
  readonly depth: number;
}

type Resolve = (node: unknown) => Node | undefined;

/** Finds the value that a path leads to, or the last one on its way. */
export function findPlace({ file, document }: ParsedCompose, path: Path): FoundPlace {
  const resolve: Resolve = (node) => (isAlias(node) ? node.resolve(document) : isNode(node) ? node : undefined);
  let node = resolve(document.contents);
  let [name, value]: [Span, Span] = [TOP, TOP];
  let depth = 0;
  for (const one of path) {
    const found = childOf(node, one, resolve);
    if (found === undefined) break;
    node = resolve(found.value);
    const own = spanOf(node);
    name = spanOf(found.key) ?? own ?? name;
    value = own ?? name;
    depth++;
  }
  return { value: { file, span: value }, name: { file, span: name }, depth };
}

const TOP: Span = { start: 0, end: 1 };

type Child = Pick<Pair<unknown, unknown>, 'key' | 'value'>;

function childOf(node: Node | undefined, name: string, resolve: Resolve): Child | undefined {
  if (isSeq(node)) {
    const value = node.items.find((item) => isNamed(resolve(item), name));
    return value === undefined ? undefined : { key: undefined, value };
  }
  if (!isMap(node)) return undefined;
  const own = node.items.find(({ key }) => isScalar(key) && String(key.value) === name);
  if (own !== undefined) return own;
  const merged = node.items.filter(({ key }) => isScalar(key) && (key.value === '<<' || typeof key.value === 'symbol'));
  const sources = merged.map(({ value }) => resolve(value)).flatMap((one) => (isSeq(one) ? one.items : [one]));
  return sources.map((source) => childOf(resolve(source), name, resolve)).find((found) => found !== undefined);
}

function isNamed(item: Node | undefined, name: string): boolean {
  if (isMap(item)) return item.get('source') === name || item.get('path') === name;
  const text = isScalar(item) ? String(item.value) : '';
  return text === name || text.startsWith(`${name}=`) || text.startsWith(`${name}:`);
}

function spanOf(node: unknown): Span | undefined {
  if (!isNode(node) || !node.range) return undefined;
  const [start, end] = node.range;
  return { start, end: Math.max(end, start + 1) };
}
