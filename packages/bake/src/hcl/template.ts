import type { Node } from 'web-tree-sitter';
import { errorAt, type Place } from '../source.ts';
import type { Expression } from './ast.ts';
import { childrenOf, type ExpressionSource } from './nodes.ts';

/** A piece of a template in order: text, or an interpolation or the tag of a directive. */
export type Piece =
  | { kind: 'text'; text: string; readonly place: Place; readonly isLineStart: boolean }
  | { readonly kind: 'node'; readonly node: Node };

/** The nodes that a template is cut at. */
const CUTS: ReadonlySet<string> = new Set([
  'template_interpolation',
  'template_for_start',
  'template_for_end',
  'template_if_intro',
  'template_else_intro',
  'template_if_end',
]);

/** Cuts the template between two offsets into pieces. The grammar skips blanks, so texts come from the file. */
export function piecesOf(node: Node, [start, end]: readonly [number, number], { file, at }: ExpressionSource): Piece[] {
  const pieces: Piece[] = [];
  let from = start;
  const addText = (to: number): void => {
    for (const text of file.text.slice(from, to).match(/[^\n]*\n|[^\n]+/g) ?? []) {
      const place = at ?? { file, span: { start: from, end: from + text.length } };
      pieces.push({ kind: 'text', text, place, isLineStart: from === start || file.text.charAt(from - 1) === '\n' });
      from += text.length;
    }
  };
  for (const cut of cutsIn(node)) {
    addText(cut.startIndex);
    pieces.push({ kind: 'node', node: cut });
    from = cut.endIndex;
  }
  addText(end);
  return pieces;
}

function cutsIn(node: Node): Node[] {
  return childrenOf(node).flatMap((child) =>
    CUTS.has(child.type) ? [child] : isDirective(child) ? cutsIn(child) : [],
  );
}

function isDirective({ type }: Node): boolean {
  return type === 'template_directive' || type === 'template_if' || type === 'template_for';
}

/** Applies the strip markers: `~` removes the blanks of the text beside it, up to the next line end at most. */
export function strip(pieces: readonly Piece[]): void {
  for (const [index, piece] of pieces.entries()) {
    if (piece.kind !== 'node') continue;
    const { text } = piece.node;
    const before = pieces[index - 1];
    const after = pieces[index + 1];
    if (text.charAt(2) === '~' && before?.kind === 'text') before.text = before.text.trimEnd();
    if (text.at(-2) === '~' && after?.kind === 'text') after.text = after.text.trimStart();
  }
}

/** Removes the indentation that all lines of a heredoc have in common. */
export function unindent(pieces: readonly Piece[]): void {
  const starts = pieces.filter((piece, index) => piece.kind === 'text' && isLineStart(piece, pieces[index - 1]));
  const texts = starts.flatMap((piece) => (piece.kind === 'text' ? [piece] : []));
  const common = Math.min(...texts.filter(({ text }) => text !== '\n').map(({ text }) => indentation(text)));
  for (const piece of texts) piece.text = piece.text.slice(Math.min(common, indentation(piece.text)));
}

/** A text whose line end a strip marker removed has no line after it. */
function isLineStart(piece: Piece, before: Piece | undefined): boolean {
  if (piece.kind !== 'text' || !piece.isLineStart) return false;
  return before === undefined || (before.kind === 'text' && before.text.endsWith('\n'));
}

function indentation(text: string): number {
  return /^ */.exec(text)?.[0].length ?? 0;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' };

/** Replaces the escapes of a quoted text. */
export function unquote(text: string, place: Place): string {
  return text.replace(/\\(u[\da-fA-F]{4}|U[\da-fA-F]{8}|.?)|\$\$\{|%%\{/gs, (whole, escape: string | undefined) => {
    if (escape === undefined) return whole.slice(1);
    const known = ESCAPES[escape];
    if (known !== undefined) return known;
    const code = /^[uU][\da-fA-F]/.test(escape) ? Number.parseInt(escape.slice(1), 16) : Infinity;
    if (code <= 0x10_ff_ff) return String.fromCodePoint(code);
    throw errorAt(place, `Invalid escape sequence ${whole}: expected \\n, \\r, \\t, \\", \\\\, \\uNNNN or \\UNNNNNNNN`);
  });
}

/** Replaces the escaped openings of a text that has no other escapes. */
export const unescapeOpenings = (text: string): string => text.replace(/([$%])\1\{/g, '$1{');

/** Returns a text as an expression. */
export const literal = (value: string, place: Place): Expression => ({ kind: 'literal', value, place });
