import type { TbuildError } from '@tbuild/errors';
import type { Node } from 'web-tree-sitter';
import { errorAt, type BakeFile } from '../source.ts';
import { childrenOf } from './nodes.ts';

/** Returns the first error of a tree, in the words of a reader of the file. */
export function syntaxError(root: Node, file: BakeFile): TbuildError | undefined {
  if (!root.hasError) return undefined;
  const node = firstError(root) ?? root;
  const { startIndex: start, endIndex: end } = node;
  if (node.isMissing) {
    const span = { start, end: Math.max(end, start + 1) };
    const separator = node.type === ']' || node.type === ')' ? '"," or ' : '';
    return errorAt({ file, span }, `Invalid syntax: expected ${separator}${JSON.stringify(node.type)}`);
  }
  const inside = unexpectedIn(node);
  const span = { start: inside.startIndex, end: Math.max(endOfLine(file.text, inside), inside.startIndex + 1) };
  const expected = expectedIn(node, file.text, span.start);
  return errorAt(
    { file, span },
    `Invalid syntax: unexpected ${JSON.stringify(file.text.slice(span.start, span.end))}${expected}`,
  );
}

function firstError(node: Node): Node | undefined {
  if (node.isMissing || node.isError) return node;
  for (const child of childrenOf(node)) {
    if (!child.hasError && !child.isMissing) continue;
    const found = firstError(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Within an error node, the parts that made sense come first. */
function unexpectedIn(error: Node): Node {
  const children = childrenOf(error);
  const inner = children.find((child) => child.isError || child.isMissing);
  return inner ?? children.at(-1) ?? error;
}

function endOfLine(text: string, { startIndex, endIndex }: Node): number {
  const end = text.indexOf('\n', startIndex);
  return end < 0 ? endIndex : Math.min(end, endIndex);
}

/** Says what is expected, where what stands before it tells. */
function expectedIn(error: Node, text: string, at: number): string {
  const inList = error.parent?.type === 'tuple' || childrenOf(error).some(({ type }) => type === 'tuple_start');
  if (inList && !/[[,]\s*$/.test(text.slice(0, at))) return '; expected a comma or a closing bracket';
  return '';
}
