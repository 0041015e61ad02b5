import { hasCode, TbuildError } from '@tbuild/errors';
import { goBool } from '@tbuild/oci';
import { evaluate } from '../evaluate/evaluate.ts';
import { parseType } from '../evaluate/parse-type.ts';
import type { Scope } from '../evaluate/scope.ts';
import type { Block, Expression } from '../hcl/ast.ts';
import { errorAt, placed } from '../source.ts';
import { convert, toBool, toText } from '../value/convert.ts';
import { parseCsvRow } from '../value/csv.ts';
import { decodeJson } from '../value/json.ts';
import { Num } from '../value/number.ts';
import type { Type } from '../value/type.ts';
import { isList, isMap, object, tuple, typeName, type Value } from '../value/value.ts';

/** Where variables get their values from besides the files. */
export interface VariableSources {
  /** `--var`, which wins. */
  readonly given: Readonly<Record<string, string>>;
  /** Looks a variable up in the environment. */
  environment(name: string): string | undefined;
  /** Variables that need no definition. */
  readonly builtin: Readonly<Record<string, string>>;
}

/** A variable of the files. */
export interface BakeVariable {
  readonly name: string;
  readonly description?: string;
  readonly type?: Type;
  readonly value: Value;
}

interface Reading {
  readonly variable: BakeVariable;
  /** @throws TbuildError BAKE_FILE for a value that a validation refuses. */
  validate(): void;
}

interface VariableContext {
  readonly scope: Scope;
  readonly sources: VariableSources;
}

/**
 * Reads a variable: its value from `--var`, the environment, or its default.
 * @throws TbuildError BAKE_FILE
 */
export function readVariable(name: string, block: Block, { scope, sources }: VariableContext): Reading {
  const expressionOf = (wanted: string): Expression | undefined =>
    block.body.attributes.find((attribute) => attribute.name === wanted)?.expression;
  const typed = expressionOf('type');
  const type = typed === undefined ? undefined : parseType(typed);
  const text = textOf(expressionOf('description'), scope);
  const value = (): Value => {
    const json = sources.given[`${name}_JSON`] ?? sources.environment(`${name}_JSON`);
    const given =
      sources.given[name] ?? (json === undefined || type === undefined ? sources.environment(name) : undefined);
    const expression = expressionOf('default');
    const standard = (): Value => (expression === undefined ? null : evaluate(expression, scope));
    if (given !== undefined) return naming(name, given, () => parseValue(given, type, standard));
    if (json !== undefined && type !== undefined) return naming(name, json, () => convert(decodeJson(json), type));
    // Docker's bake takes an unset variable for an empty text, unless it has a type.
    if (expression === undefined) return type === undefined ? '' : null;
    return type === undefined ? standard() : placed(expression.place, () => convert(standard(), type));
  };
  const variable = {
    name,
    ...(text === undefined ? {} : { description: text }),
    ...(type === undefined ? {} : { type }),
    value: value(),
  };
  return {
    variable,
    validate: () =>
      block.body.blocks.filter((one) => one.type === 'validation').forEach((one) => validate(one, name, scope)),
  };
}

function textOf(expression: Expression | undefined, scope: Scope): string | undefined {
  if (expression === undefined) return undefined;
  const value = evaluate(expression, scope);
  return value === null ? undefined : placed(expression.place, () => toText(value));
}

function naming<T>(name: string, text: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!hasCode(error, 'BAKE_FILE')) throw error;
    throw new TbuildError(
      'BAKE_FILE',
      `Invalid value ${JSON.stringify(text)} of the variable ${JSON.stringify(name)}: ${error.message}`,
      {
        cause: error,
        location: error.location,
        hint: error.hint,
      },
    );
  }
}

/** Reads a text as a value of the type, or of the type of the default. */
function parseValue(text: string, type: Type | undefined, standard: () => Value): Value {
  if (type !== undefined) return convert(type.kind === 'any' ? text : parseTyped(text, type), type);
  const like = standard();
  if (typeof like === 'boolean') return toBool(goBool(text) ?? text);
  if (like instanceof Num) return convert(text, { kind: 'number' });
  if (like !== null && (isList(like) || isMap(like))) {
    throw new TbuildError('BAKE_FILE', `a ${typeName(like)} without a type cannot be set`, {
      hint: 'Give the variable a type, such as type = list(string)',
    });
  }
  return text;
}

/** Lists are separated by commas, and the fields of a map are NAME:VALUE. */
function parseTyped(text: string, type: Type): Value {
  switch (type.kind) {
    case 'bool':
      return goBool(text) ?? text;
    case 'list':
    case 'set':
    case 'tuple':
      return tuple(text === '' ? [] : parseCsvRow(text));
    case 'map':
    case 'object':
      return object(
        (text === '' ? [] : parseCsvRow(text)).map((field) => {
          const at = field.indexOf(':');
          if (at < 0) throw new TbuildError('BAKE_FILE', `expected NAME:VALUE, found ${JSON.stringify(field)}`);
          return [field.slice(0, at), field.slice(at + 1)];
        }),
      );
    default:
      return text;
  }
}

function validate({ body, place }: Block, name: string, scope: Scope): void {
  const condition = body.attributes.find((attribute) => attribute.name === 'condition')?.expression;
  if (condition === undefined) throw errorAt(place, 'A validation has a "condition"');
  const result = evaluate(condition, scope);
  if (result !== null && placed(condition.place, () => toBool(result))) return;
  const message = textOf(body.attributes.find((attribute) => attribute.name === 'error_message')?.expression, scope);
  throw errorAt(condition.place, message ?? `The variable ${JSON.stringify(name)} has an invalid value`);
}
