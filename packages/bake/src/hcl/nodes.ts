import type { Node } from 'web-tree-sitter';
import type { BakeFile, Place } from '../source.ts';
import type { Expression } from './ast.ts';

/** Where a tree comes from. */
export interface ExpressionSource {
  readonly file: BakeFile;
  /** The place of the whole text, when the file is not the user's own. */
  readonly at?: Place;
  /** The length of that text, which is a heredoc's. */
  readonly endsAt?: number;
}

/** Converts a node of the type `expression`. */
export type ConvertExpression = (node: Node, source: ExpressionSource) => Expression;

/** Returns the place of a node. */
export function placeOf({ startIndex: start, endIndex: end }: Node, { file, at }: ExpressionSource): Place {
  return at ?? { file, span: { start, end } };
}

/** Returns the children of a node. */
export function childrenOf(node: Node): Node[] {
  return node.children.filter((child): child is Node => child !== null);
}
