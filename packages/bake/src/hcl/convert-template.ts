import type { Node } from 'web-tree-sitter';
import { errorAt, type Place } from '../source.ts';
import type { Expression } from './ast.ts';
import { childrenOf, type ConvertExpression, type ExpressionSource, placeOf } from './nodes.ts';
import { literal, piecesOf, strip, unescapeOpenings, unindent, unquote, type Piece } from './template.ts';

/** Converts a quoted template. One that is only an interpolation is that expression. */
export function convertQuoted(node: Node, source: ExpressionSource, convert: ConvertExpression): Expression {
  const pieces = piecesOf(node, [node.startIndex + 1, node.endIndex - 1], source);
  strip(pieces);
  return assemble(pieces, { source, convert, place: placeOf(node, source), decode: unquote });
}

/** Converts a heredoc, or the template of a JSON file in its form. */
export function convertHeredoc(node: Node, source: ExpressionSource, convert: ConvertExpression): Expression {
  const { file, at, endsAt } = source;
  const start = file.text.indexOf('\n', node.startIndex) + 1;
  const end = endsAt === undefined ? file.text.lastIndexOf('\n', node.endIndex - 1) + 1 : start + endsAt;
  const pieces = piecesOf(node, [start, end], source);
  strip(pieces);
  if (node.text.startsWith('<<-')) unindent(pieces);
  const place = placeOf(node, source);
  const whole = assemble(pieces, { source, convert, place, decode: unescapeOpenings });
  // Only a template of a JSON file may be an interpolation alone: a heredoc has at least its line end.
  return whole.kind === 'template' || at !== undefined ? whole : { kind: 'template', parts: [whole], place };
}

interface Assembly {
  readonly source: ExpressionSource;
  readonly convert: ConvertExpression;
  readonly place: Place;
  decode(text: string, place: Place): string;
}

function assemble(pieces: readonly Piece[], assembly: Assembly): Expression {
  const queue = [...pieces];
  const parts = takeParts(queue, assembly);
  const left = queue[0];
  if (left?.kind === 'node')
    throw errorAt(placeOf(left.node, assembly.source), 'This directive has no beginning', 'Remove it');
  const [only] = parts;
  const { place } = assembly;
  if (only === undefined) return literal('', place);
  const isWhole = parts.length === 1 && pieces.length === 1;
  return isWhole ? { ...only, place } : { kind: 'template', parts, place };
}

/** Takes pieces up to the tag that ends or divides a directive. */
function takeParts(queue: Piece[], assembly: Assembly): Expression[] {
  const parts: Expression[] = [];
  for (let piece = queue[0]; piece !== undefined; piece = queue[0]) {
    if (piece.kind === 'text') {
      queue.shift();
      parts.push(literal(assembly.decode(piece.text, piece.place), piece.place));
      continue;
    }
    const { node } = piece;
    if (node.type === 'template_else_intro' || node.type === 'template_if_end' || node.type === 'template_for_end')
      break;
    queue.shift();
    parts.push(takeNode(node, queue, assembly));
  }
  return parts;
}

function takeNode(node: Node, queue: Piece[], assembly: Assembly): Expression {
  if (node.type === 'template_interpolation') {
    const inside = childrenOf(node).find(({ type }) => type === 'expression');
    if (inside !== undefined) return assembly.convert(inside, assembly.source);
    throw errorAt(placeOf(node, assembly.source), 'An interpolation needs an expression');
  }
  return node.type === 'template_if_intro' ? takeIf(node, queue, assembly) : takeFor(node, queue, assembly);
}

function takeIf(intro: Node, queue: Piece[], assembly: Assembly): Expression {
  const place = placeOf(intro, assembly.source);
  const joined = (): Expression => ({ kind: 'template', parts: takeParts(queue, assembly), place });
  const yes = joined();
  let no: Expression = literal('', place);
  if (isTag(queue[0], 'template_else_intro')) {
    queue.shift();
    no = joined();
  }
  endDirective(queue, 'template_if_end', place);
  return { kind: 'conditional', condition: expressionIn(intro, assembly), yes, no, place };
}

function takeFor(intro: Node, queue: Piece[], assembly: Assembly): Expression {
  const place = placeOf(intro, assembly.source);
  const names = childrenOf(intro).filter(({ type }) => type === 'identifier');
  const value: Expression = { kind: 'template', parts: takeParts(queue, assembly), place };
  endDirective(queue, 'template_for_end', place);
  return {
    kind: 'for',
    ...(names.length > 1 ? { keyName: names[0]?.text } : {}),
    valueName: names.at(-1)?.text ?? '',
    of: expressionIn(intro, assembly),
    value,
    grouped: false,
    joined: true,
    place,
  };
}

function expressionIn(node: Node, { source, convert }: Assembly): Expression {
  const inside = childrenOf(node).find(({ type }) => type === 'expression');
  if (inside === undefined) throw new Error(`A node ${node.type} has an expression`);
  return convert(inside, source);
}

function isTag(piece: Piece | undefined, type: string): boolean {
  return piece?.kind === 'node' && piece.node.type === type;
}

function endDirective(queue: Piece[], type: string, place: Place): void {
  if (!isTag(queue[0], type)) throw errorAt(place, 'This directive has no end');
  queue.shift();
}
