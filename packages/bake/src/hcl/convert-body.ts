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
  for (const child of body === undefined ? [] : childrenOf(body)) {
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
  const broken = source.lineEnds.find((end) => end > node.startIndex && end < node.endIndex);
  if (broken !== undefined) {
    throw errorAt(
      { file, span: { start: node.startIndex, end: broken } },
      `The attribute ${JSON.stringify(name.text)} goes on after the end of its line`,
      'Put it on one line, or in parentheses',
    );
  }
  requireLineEnd(node, source);
  return {
    name: name.text,
    expression: convertExpression(expression, { file }),
    place: { file, span: { start: name.startIndex, end: name.endIndex } },
  };
}

function requireLineEnd(node: Node, { file, lineEnds }: BodySource): void {
  const next = node.nextSibling ?? node.parent?.nextSibling;
  if (next === null || next === undefined || next.type === 'block_end') return;
  if (lineEnds.some((end) => end >= node.endIndex && end <= next.startIndex)) return;
  const span = { start: next.startIndex, end: next.endIndex };
  throw errorAt({ file, span }, 'An attribute has to be followed by a new line');
}

function blockOf(node: Node, source: BodySource): Block {
  const { file } = source;
  const children = childrenOf(node);
  const [type] = children;
  const open = children.find((child) => child.type === 'block_start');
  if (type === undefined || open === undefined) throw new Error('A block has a type and a body');
  const header = children.slice(1, children.indexOf(open));
  requireLineEnd(node, source);
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
