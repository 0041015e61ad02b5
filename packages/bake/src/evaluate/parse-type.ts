import type { Expression } from '../hcl/ast.ts';
import { errorAt } from '../source.ts';
import type { FieldType, Type } from '../value/type.ts';

/**
 * Reads an expression as a type constraint.
 * @throws TbuildError BAKE_FILE
 */
export function parseType(expression: Expression): Type {
  const { place } = expression;
  if (expression.kind === 'variable') {
    const { name } = expression;
    if (name === 'string' || name === 'number' || name === 'bool' || name === 'any') return { kind: name };
  }
  if (expression.kind === 'literal' && typeof expression.value === 'string')
    return parseType({ kind: 'variable', name: expression.value, place });
  if (expression.kind === 'call') {
    const [argument] = expression.arguments;
    const { name } = expression;
    if (argument !== undefined && expression.arguments.length === 1) {
      if (name === 'list' || name === 'set' || name === 'map') return { kind: name, of: parseType(argument) };
      if (name === 'tuple' && argument.kind === 'tuple') return { kind: 'tuple', items: argument.items.map(parseType) };
      if (name === 'object' && argument.kind === 'object') return { kind: 'object', fields: fieldsOf(argument) };
    }
  }
  throw errorAt(
    place,
    'Invalid type',
    'Write string, number, bool, any, list(T), set(T), map(T), tuple([T, …]) or object({ name = T, … })',
  );
}

function fieldsOf({ fields }: Extract<Expression, { kind: 'object' }>): ReadonlyMap<string, FieldType> {
  return new Map(
    fields.map(({ key, value }) => {
      if (key.kind !== 'literal' || typeof key.value !== 'string')
        throw errorAt(key.place, 'The name of a field has to be a word');
      const inner = value.kind === 'call' && value.name === 'optional' ? value.arguments[0] : undefined;
      return [key.value, { type: parseType(inner ?? value), isOptional: inner !== undefined }];
    }),
  );
}
