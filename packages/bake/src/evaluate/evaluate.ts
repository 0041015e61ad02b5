import { hasCode } from '@tbuild/errors';
import { requireSize } from '../functions/function.ts';
import { EACH, type Expression, type ForParts } from '../hcl/ast.ts';
import { errorAt, placed } from '../source.ts';
import { convert, toBool, toText, unify } from '../value/convert.ts';
import { Num } from '../value/number.ts';
import { isList, isMap, object, tuple, typeName, type Value } from '../value/value.ts';
import { binary, unary } from './operators.ts';
import { parseType } from './parse-type.ts';
import { withVariables, type Scope } from './scope.ts';

/**
 * Evaluates an expression.
 * @throws TbuildError BAKE_FILE, with the place.
 */
export function evaluate(expression: Expression, scope: Scope): Value {
  const { place } = expression;
  scope.step(place);
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'template':
      return joinParts(expression.parts, scope);
    case 'tuple':
      return tuple(expression.items.map((item) => evaluate(item, scope)));
    case 'object':
      return object(expression.fields.map(({ key, value }) => [keyText(key, scope), evaluate(value, scope)]));
    case 'variable':
      return scope.variable(expression.name, place, []);
    case 'index':
      return evaluateIndex(expression, scope);
    case 'splat':
      return evaluateSplat(expression, scope);
    case 'call':
      return evaluateCall(expression, scope);
    case 'for':
      return evaluateFor(expression, scope);
    case 'unary':
      return placed(place, () => unary(expression.operator, evaluate(expression.of, scope)));
    case 'binary':
      return placed(place, () =>
        binary(expression.operator, evaluate(expression.left, scope), () => evaluate(expression.right, scope)),
      );
    case 'conditional':
      return evaluateConditional(expression, scope);
  }
}

type Of<K extends Expression['kind']> = Extract<Expression, { kind: K }>;

function joinParts(parts: readonly Expression[], scope: Scope): string {
  let text = '';
  for (const part of parts) {
    const value = evaluate(part, scope);
    if (value === null)
      throw errorAt(
        part.place,
        'A null value cannot be part of a string',
        'Give the variable a default, or test it with a conditional',
      );
    text += placed(part.place, () => toText(value));
    placed(part.place, () => requireSize(text.length));
  }
  return text;
}

function keyText(key: Expression, scope: Scope): string {
  const value = evaluate(key, scope);
  if (value === null) throw errorAt(key.place, 'A key must not be null');
  return placed(key.place, () => toText(value));
}

function evaluateIndex(expression: Of<'index'>, scope: Scope): Value {
  const { path, root } = pathOf(expression);
  if (root.kind === 'variable' && path.length > 0) {
    const value = scope.variable(root.name, root.place, path);
    return stepInto(value, expression, scope);
  }
  return stepInto(undefined, expression, scope);
}

/** Returns the names that lead from a variable to a value, as far as they are known without evaluation. */
function pathOf(expression: Expression): { readonly root: Expression; readonly path: readonly string[] } {
  if (expression.kind !== 'index') return { root: expression, path: [] };
  const { root, path } = pathOf(expression.of);
  const { key } = expression;
  return { root, path: key.kind === 'literal' && typeof key.value === 'string' ? [...path, key.value] : path };
}

/** `root` is the value of the variable at the beginning, when it is known already. */
function stepInto(root: Value | undefined, expression: Of<'index'>, scope: Scope): Value {
  const { of, key, place } = expression;
  const value = of.kind === 'index' ? stepInto(root, of, scope) : root !== undefined ? root : evaluate(of, scope);
  const name = evaluate(key, scope);
  if (value === null) throw errorAt(place, 'A null value has no attributes');
  if (isMap(value) && name !== null && !isList(name) && !isMap(name)) {
    const found = value.entries.get(toText(name));
    if (found !== undefined) return found;
    throw errorAt(
      place,
      `The object has no attribute ${JSON.stringify(toText(name))}`,
      listed([...value.entries.keys()]),
    );
  }
  if (isList(value)) {
    const at = name instanceof Num ? name : typeof name === 'string' ? Num.parse(name) : undefined;
    const found = at?.isInteger === true ? value.items[at.toNumber()] : undefined;
    if (found !== undefined) return found;
    const wanted = name === null ? 'null' : isList(name) || isMap(name) ? typeName(name) : toText(name);
    throw errorAt(place, `The list has no element ${wanted}`, `It has ${value.items.length}, counted from 0`);
  }
  throw errorAt(place, `A ${typeName(value)} has no attributes or elements`);
}

function listed(names: readonly string[]): string {
  return names.length === 0
    ? 'It has none'
    : `It has ${names
        .slice(0, 20)
        .map((name) => JSON.stringify(name))
        .join(', ')}`;
}

function evaluateSplat({ of, each }: Of<'splat'>, scope: Scope): Value {
  const value = evaluate(of, scope);
  const items = value === null ? [] : isList(value) ? value.items : [value];
  return tuple(items.map((item) => evaluate(each, withVariables(scope, new Map([[EACH, item]])))));
}

function evaluateConditional({ condition, yes, no }: Of<'conditional'>, scope: Scope): Value {
  const test = evaluate(condition, scope);
  if (test === null) throw errorAt(condition.place, 'The condition is null; expected a bool');
  const isYes = placed(condition.place, () => toBool(test));
  const result = evaluate(isYes ? yes : no, scope);
  const other = attempt(isYes ? no : yes, scope);
  return other === undefined ? result : unify(result, other);
}

/** Returns undefined for an expression that fails. */
function attempt(expression: Expression, scope: Scope): Value | undefined {
  try {
    return evaluate(expression, scope);
  } catch (error) {
    if (hasCode(error, 'BAKE_FILE')) return undefined;
    throw error;
  }
}

function evaluateCall(call: Of<'call'>, scope: Scope): Value {
  const { name, place } = call;
  if (name === 'try' || name === 'can') return evaluateAttempts(call, scope);
  if (name === 'convert') {
    const [value, type] = call.arguments;
    if (value === undefined || type === undefined || call.arguments.length > 2)
      throw errorAt(place, 'convert takes a value and a type');
    return placed(place, () => convert(evaluate(value, scope), parseType(type)));
  }
  const called = scope.function(name, place);
  const values = call.arguments.map((argument) => evaluate(argument, scope));
  const last = values.at(-1) ?? null;
  if (call.expand && !isList(last))
    throw errorAt(place, `The last argument of ${name} has to be a list, since ... follows it`);
  const expanded = call.expand && isList(last) ? [...values.slice(0, -1), ...last.items] : values;
  const result = placed(place, () => naming(name, () => called.call(expanded)));
  scope.step(place, sizeOf(result));
  return result;
}

function sizeOf(value: Value): number {
  if (typeof value === 'string') return value.length >> 6;
  return value !== null && isList(value) ? value.items.length : 0;
}

/** Says which function an error is about. */
function naming(name: string, work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    if (hasCode(error, 'BAKE_FILE') && error.location === undefined)
      error.message = `Invalid call of ${name}: ${error.message}`;
    throw error;
  }
}

function evaluateAttempts({ name, arguments: attempts, place }: Of<'call'>, scope: Scope): Value {
  const [first] = attempts;
  if (first === undefined) throw errorAt(place, `${name} needs an argument`);
  if (name === 'can') return attempt(first, scope) !== undefined;
  for (const one of attempts) {
    const value = attempt(one, scope);
    if (value !== undefined) return value;
  }
  throw errorAt(place, 'No argument of try can be evaluated');
}

function evaluateFor({ place, ...parts }: Of<'for'>, scope: Scope): Value {
  const { of, keyName, valueName, condition } = parts;
  const results: [string, Value][] = [];
  for (const [key, item] of itemsOf(evaluate(of, scope), of)) {
    const inner = withVariables(
      scope,
      new Map([[valueName, item], ...(keyName === undefined ? [] : [[keyName, key] as const])]),
    );
    if (condition !== undefined && !placed(condition.place, () => toBool(evaluate(condition, inner)))) continue;
    const name = parts.key === undefined ? '' : keyText(parts.key, inner);
    results.push([name, evaluate(parts.value, inner)]);
  }
  if (parts.joined === true) {
    const text = results.map(([, value]) => toText(value)).join('');
    placed(place, () => requireSize(text.length));
    return text;
  }
  if (parts.key === undefined) return tuple(results.map(([, value]) => value));
  return parts.grouped ? groupResults(results) : objectOf(results, parts);
}

function itemsOf(value: Value, { place }: Expression): (readonly [Value, Value])[] {
  if (isList(value)) return value.items.map((item, at) => [value.kind === 'set' ? item : Num.of(at), item]);
  if (value !== null && isMap(value)) return [...value.entries];
  throw errorAt(
    place,
    `A for expression needs a list or a map, not ${value === null ? 'null' : `a ${typeName(value)}`}`,
  );
}

function groupResults(results: readonly (readonly [string, Value])[]): Value {
  const groups = new Map<string, Value[]>();
  for (const [key, value] of results) groups.set(key, [...(groups.get(key) ?? []), value]);
  return object([...groups].map(([key, values]) => [key, tuple(values)]));
}

function objectOf(results: readonly (readonly [string, Value])[], { key }: ForParts): Value {
  const names = new Set<string>();
  for (const [name] of results) {
    if (names.has(name) && key !== undefined)
      throw errorAt(
        key.place,
        `Two items have the key ${JSON.stringify(name)}`,
        'Write ... behind the value to collect them in a list',
      );
    names.add(name);
  }
  return object(results);
}
