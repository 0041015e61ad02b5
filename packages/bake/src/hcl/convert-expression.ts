import type { Node } from 'web-tree-sitter';
import { errorAt, type Place } from '../source.ts';
import { Num } from '../value/number.ts';
import { EACH, type Expression, type ForParts } from './ast.ts';
import { convertHeredoc, convertQuoted } from './convert-template.ts';
import { childrenOf, type ExpressionSource, placeOf } from './nodes.ts';

/** Converts a node of the type `expression`. */
export function convertExpression(node: Node, source: ExpressionSource): Expression {
  return convertNodes(childrenOf(node), source);
}

/** Converts an operand with what follows it: `a.b[0]` is a head and its steps. */
function convertNodes(nodes: readonly Node[], source: ExpressionSource): Expression {
  const [head] = nodes;
  if (head === undefined) throw new Error('An expression has a node');
  if (head.type === '(') {
    const close = nodes.findIndex(({ type }) => type === ')');
    return followSteps(convertNodes(nodes.slice(1, close), source), nodes.slice(close + 1), source);
  }
  return followSteps(convertHead(head, source), nodes.slice(1), source);
}

function convertHead(node: Node, source: ExpressionSource): Expression {
  const place = placeOf(node, source);
  switch (node.type) {
    case 'expression':
      return convertExpression(node, source);
    case 'conditional':
      return convertConditional(node, source);
    case 'literal_value':
      return convertLiteral(node, source);
    case 'template_expr':
      return convertTemplate(node, source);
    case 'collection_value':
      return convertCollection(node, source);
    case 'variable_expr':
      return { kind: 'variable', name: node.text, place };
    case 'function_call':
      return convertCall(node, source);
    case 'for_expr':
      return { kind: 'for', ...convertFor(only(node), source), place };
    case 'operation':
      return convertOperation(only(node), source);
    default:
      throw errorAt(place, `Unexpected ${JSON.stringify(node.text)}`);
  }
}

function only(node: Node): Node {
  const [child] = childrenOf(node);
  if (child === undefined) throw new Error(`A node ${node.type} has a child`);
  return child;
}

/** The grammar reads `a ? b : c ? d : e` from the left, HCL from the right. */
function convertConditional(node: Node, source: ExpressionSource): Expression {
  const [condition, , yes, , no] = childrenOf(node);
  if (condition === undefined || yes === undefined || no === undefined)
    throw new Error('A conditional has three parts');
  const place = placeOf(node, source);
  const last = { yes: convertExpression(yes, source), no: convertExpression(no, source) };
  const [inner] = childrenOf(condition);
  if (inner?.type !== 'conditional')
    return { kind: 'conditional', condition: convertExpression(condition, source), ...last, place };
  const outer = convertConditional(inner, source);
  return atRightEnd(outer, (end) => ({ kind: 'conditional', condition: end, ...last, place }));
}

function atRightEnd(expression: Expression, change: (end: Expression) => Expression): Expression {
  if (expression.kind !== 'conditional') return change(expression);
  return { ...expression, no: atRightEnd(expression.no, change) };
}

function convertLiteral(node: Node, source: ExpressionSource): Expression {
  const place = placeOf(node, source);
  const value = only(node);
  switch (value.type) {
    case 'numeric_lit':
      return { kind: 'literal', value: numberOf(originalText(value, source), place), place };
    case 'bool_lit':
      return { kind: 'literal', value: value.text === 'true', place };
    case 'null_lit':
      return { kind: 'literal', value: null, place };
    default:
      return convertQuoted(value, source, convertExpression);
  }
}

function originalText({ startIndex, endIndex }: Node, { file }: ExpressionSource): string {
  return file.text.slice(startIndex, endIndex);
}

function numberOf(text: string, place: Place): Num {
  const number = Num.parse(text);
  if (number === undefined) throw errorAt(place, `Invalid number ${JSON.stringify(text)}`);
  return number;
}

function convertTemplate(node: Node, source: ExpressionSource): Expression {
  const template = only(node);
  return template.type === 'heredoc_template'
    ? convertHeredoc(template, source, convertExpression)
    : convertQuoted(template, source, convertExpression);
}

function convertCollection(node: Node, source: ExpressionSource): Expression {
  const place = placeOf(node, source);
  const collection = only(node);
  if (collection.type === 'tuple') {
    const items = childrenOf(collection).filter(({ type }) => type === 'expression');
    return { kind: 'tuple', items: items.map((item) => convertExpression(item, source)), place };
  }
  const fields = childrenOf(collection).filter(({ type }) => type === 'object_elem');
  return {
    kind: 'object',
    fields: fields.map((field) => {
      const [key, , value] = childrenOf(field);
      if (key === undefined || value === undefined) throw new Error('A field has a key and a value');
      return { key: convertKey(key, source), value: convertExpression(value, source) };
    }),
    place,
  };
}

/** A name alone is a text here. */
function convertKey(node: Node, source: ExpressionSource): Expression {
  const children = childrenOf(node);
  const [first] = children;
  const isWord = children.length === 1 && first?.type === 'variable_expr';
  return isWord ? { kind: 'literal', value: node.text, place: placeOf(node, source) } : convertExpression(node, source);
}

function convertCall(node: Node, source: ExpressionSource): Expression {
  const children = childrenOf(node);
  const given = children.find(({ type }) => type === 'function_arguments');
  const parts = given === undefined ? [] : childrenOf(given);
  return {
    kind: 'call',
    name: children[0]?.text ?? '',
    arguments: parts.filter(({ type }) => type === 'expression').map((part) => convertExpression(part, source)),
    expand: parts.at(-1)?.type === 'ellipsis',
    place: placeOf(node, source),
  };
}

function convertFor(node: Node, source: ExpressionSource): ForParts {
  const children = childrenOf(node);
  const intro = children.find(({ type }) => type === 'for_intro');
  const condition = children.find(({ type }) => type === 'for_cond');
  const results = children.filter(({ type }) => type === 'expression').map((one) => convertExpression(one, source));
  const value = results.at(-1);
  if (intro === undefined || value === undefined) throw new Error('A for expression has an introduction and a result');
  const names = childrenOf(intro).filter(({ type }) => type === 'identifier');
  return {
    ...(names.length > 1 ? { keyName: names[0]?.text } : {}),
    valueName: names.at(-1)?.text ?? '',
    of: expressionIn(intro, source),
    ...(results.length > 1 ? { key: results[0] } : {}),
    value,
    ...(condition === undefined ? {} : { condition: expressionIn(condition, source) }),
    grouped: children.some(({ type }) => type === 'ellipsis'),
  };
}

function expressionIn(node: Node, source: ExpressionSource): Expression {
  const inside = childrenOf(node).find(({ type }) => type === 'expression');
  if (inside === undefined) throw new Error(`A node ${node.type} has an expression`);
  return convertExpression(inside, source);
}

function convertOperation(node: Node, source: ExpressionSource): Expression {
  const children = childrenOf(node);
  const place = placeOf(node, source);
  if (node.type === 'unary_operation') {
    const operator = children[0]?.text === '!' ? '!' : '-';
    return { kind: 'unary', operator, of: convertNodes(children.slice(1), source), place };
  }
  const at = children.findIndex(({ isNamed, type }) => !isNamed && type !== '(' && type !== ')');
  const left = convertNodes(children.slice(0, at), source);
  const right = convertNodes(children.slice(at + 1), source);
  return { kind: 'binary', operator: children[at]?.text ?? '', left, right, place };
}

function followSteps(head: Expression, steps: readonly Node[], source: ExpressionSource): Expression {
  const [step, ...rest] = steps;
  if (step === undefined) return head;
  if (step.type === 'splat') {
    const place = placeOf(step, source);
    const splat = only(step);
    const steps = [...childrenOf(splat).slice(1), ...rest];
    // After `[*]` all steps are for each item, after `.*` only the names.
    const others = splat.type === 'full_splat' ? -1 : steps.findIndex(({ type }) => type !== 'get_attr');
    const own = others < 0 ? steps : steps.slice(0, others);
    const each = followSteps({ kind: 'variable', name: EACH, place }, own, source);
    return followSteps({ kind: 'splat', of: head, each, place }, others < 0 ? [] : steps.slice(others), source);
  }
  return followSteps({ kind: 'index', of: head, key: keyOf(step, source), place: placeOf(step, source) }, rest, source);
}

function keyOf(step: Node, source: ExpressionSource): Expression {
  const place = placeOf(step, source);
  if (step.type === 'get_attr') return { kind: 'literal', value: childrenOf(step)[1]?.text ?? '', place };
  const index = only(step);
  if (index.type === 'new_index') return expressionIn(index, source);
  return { kind: 'literal', value: numberOf(index.text.slice(1), place), place };
}
