import { compileGlob } from './glob.ts';
import type { PathExpression } from './path-expression.ts';

/** The names that some entries of a directory may have, or undefined for any name. */
export type Names = ReadonlySet<string> | undefined;

/** Where a pattern may match, as far as its elements tell. A directory is given by the elements of its path. */
export interface PatternReach {
  /** Returns the names of the entries of a directory that it may match. */
  namesIn(directory: readonly string[]): Names;
  /** Returns the names of the entries of a directory below which it may match something. */
  namesAbove(directory: readonly string[]): Names;
  /** Reports whether it may match something below this directory. */
  reachesBelow(directory: readonly string[]): boolean;
}

const NONE: ReadonlySet<string> = new Set();

export function reachOf(text: string): PatternReach {
  const elements = text.split('/');
  const deep = elements.findIndex((element) => DEEP.test(element));
  const depth = deep === -1 ? elements.length : Number.POSITIVE_INFINITY;
  const head = (deep === -1 ? elements : elements.slice(0, deep)).map(compileElement);
  const tail = deep === -1 ? head : afterLastDeep(elements).map(compileElement);
  const shallowest = deep === -1 ? depth : head.length + Math.max(tail.length, 1);
  const [last, ...parents] = tail.toReversed();

  const matchesHead = (names: readonly string[]): boolean =>
    head.every((element, at) => at >= names.length || element.test(names[at] ?? ''));
  const matchesParents = (names: readonly string[]): boolean =>
    parents.every((element, at) => element.test(names.at(-1 - at) ?? ''));

  return {
    namesIn(directory) {
      const entries = directory.length + 1;
      if (entries < shallowest || entries > depth) return NONE;
      return matchesHead(directory) && matchesParents(directory) ? last?.names : NONE;
    },
    namesAbove(directory) {
      if (directory.length + 1 >= depth || !matchesHead(directory)) return NONE;
      return head[directory.length]?.names;
    },
    reachesBelow: (directory) => directory.length < depth && matchesHead(directory),
  };
}

export function unionOf(all: readonly Names[]): Names {
  const union = new Set<string>();
  for (const names of all) {
    if (names === undefined) return undefined;
    for (const name of names) union.add(name);
  }
  return union;
}

/** Finds elements that may match several, or none: also a class such as `\D` may match a slash, and a caret nothing. */
const DEEP = /\*\*|[[\]^|]|\\(?:[A-Za-z0-9]|$)/u;

/** Returns the elements in which all matching paths end. There are none in `a**` + `/b`, which matches `ab`. */
function afterLastDeep(elements: readonly string[]): readonly string[] {
  const areWhole = elements.every((element) => element === '**' || !DEEP.test(element));
  return areWhole ? elements.slice(elements.lastIndexOf('**') + 1) : [];
}

interface Element extends PathExpression {
  readonly names: Names;
}

function compileElement(element: string): Element {
  if (!/[*?\\]/u.test(element)) return { names: new Set([element]), test: (name) => name === element };
  const glob = compileGlob(element);
  return { names: undefined, test: (name) => glob.test(name) };
}
