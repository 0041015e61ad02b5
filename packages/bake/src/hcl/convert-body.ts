import type { Node } from 'web-tree-sitter';
import { errorAt, type BakeFile } from '../source.ts';
import type { Attribute, Block, Body } from './ast.ts';
import { convertExpression } from './convert-expression.ts';
import { childrenOf } from './nodes.ts';
import { unquote } from './template.ts';

export interface BodySource {
  readonly file: BakeFile;
  /** The offsets of the line ends that end an attribute or a block. */
  readonly lineEnds: readonly number[];
}

/**
 * Turns the tree of a file, or of a block, into its attributes and blocks.
 * @throws TbuildError BAKE_FILE where two of them are on one line, or one is on two lines.
 */
export function bodyOf(node: Node, source: BodySource): Body {
  const body = childrenOf(node).find(({ type }) => type === 'body');
  const attributes: Attribute[] = [];
  const blocks: Block[] = [];
  const children = body === undefined ? [] : childrenOf(body);
  for (const [at, child] of children.entries()) {
    // A node looks for its own siblings from the first one on.
    const before = children[at - 1] ?? body?.previousSibling ?? undefined;
    const next = children[at + 1] ?? body?.nextSibling ?? undefined;
    requireOwnLine({ before, node: child, next }, source);
    if (child.type === 'attribute') attributes.push(attributeOf(child, source));
    if (child.type === 'block') blocks.push(blockOf(child, source));
  }
  requireDistinct(attributes);
  return { attributes, blocks };
}

function attributeOf(node: Node, source: BodySource): Attribute {
  const { file } = source;
  const [name, , expression] = childrenOf(node);
  if (name === undefined || expression === undefined) throw new Error('An attribute has a name and an expression');
  const broken = lineEndFrom(source, node.startIndex + 1);
  if (broken < node.endIndex) {
    throw errorAt(
      { file, span: { start: node.startIndex, end: broken } },
      `The attribute ${JSON.stringify(name.text)} goes on after the end of its line`,
      'Put it on one line, or in parentheses',
    );
  }
  return {
    name: name.text,
    expression: convertExpression(expression, { file }),
    place: { file, span: { start: name.startIndex, end: name.endIndex } },
  };
}

/** An attribute or block, and the nodes beside it. */
interface BodyItem {
  readonly before?: Node;
  readonly node: Node;
  readonly next?: Node;
}

/** Requires a new line before and after an attribute or block. One attribute may share the line of both its braces. */
function requireOwnLine({ before, node, next }: BodyItem, source: BodySource): void {
  const { file } = source;
  const isEnded = next === undefined || hasLineEnd(source, node, next);
  if (before?.type === 'block_start' && !hasLineEnd(source, before, node)) {
    if (node.type === 'attribute' && next?.type === 'block_end' && !isEnded) return;
    throw errorAt(
      { file, span: { start: before.startIndex, end: node.endIndex } },
      'A block that begins on the line of its "{" can have one attribute only, and ends on that line',
      'Put each attribute and block on a line of its own',
    );
  }
  if (isEnded) return;
  const what = node.type === 'block' ? 'A block' : 'An attribute';
  const span = { start: next.startIndex, end: next.endIndex };
  throw errorAt({ file, span }, `${what} has to be followed by a new line`);
}

function hasLineEnd(source: BodySource, after: Node, before: Node): boolean {
  return lineEndFrom(source, after.endIndex) <= before.startIndex;
}

/** Returns the first line end that is not before an offset, or Infinity. */
function lineEndFrom({ lineEnds }: BodySource, offset: number): number {
  let [low, high] = [0, lineEnds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lineEnds[middle] ?? Infinity) < offset) low = middle + 1;
    else high = middle;
  }
  return lineEnds[low] ?? Infinity;
}

function blockOf(node: Node, source: BodySource): Block {
  const { file } = source;
  const children = childrenOf(node);
  const [type] = children;
  const open = children.find((child) => child.type === 'block_start');
  if (type === undefined || open === undefined) throw new Error('A block has a type and a body');
  const header = children.slice(1, children.indexOf(open));
  if (hasLineEnd(source, type, open))
    throw errorAt(
      { file, span: { start: open.startIndex, end: open.endIndex } },
      'The "{" of a block has to be on the line of its type',
    );
  return {
    type: type.text,
    labels: header.map((label) =>
      label.type === 'string_lit'
        ? unquote(label.text.slice(1, -1), { file, span: { start: label.startIndex, end: label.endIndex } })
        : label.text,
    ),
    body: bodyOf(node, source),
    place: { file, span: { start: node.startIndex, end: header.at(-1)?.endIndex ?? type.endIndex } },
  };
}

function requireDistinct(attributes: readonly Attribute[]): void {
  const names = new Set<string>();
  for (const { name, place } of attributes) {
    if (names.has(name))
      throw errorAt(place, `The attribute ${JSON.stringify(name)} is set twice`, 'Remove one of them');
    names.add(name);
  }
}
