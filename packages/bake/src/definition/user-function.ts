import { TbuildError } from '@tbuild/errors';
import { evaluate } from '../evaluate/evaluate.ts';
import { withVariables, type Scope } from '../evaluate/scope.ts';
import type { BakeFunction } from '../functions/function.ts';
import type { Block, Expression } from '../hcl/ast.ts';
import { errorAt } from '../source.ts';
import { list, type Value } from '../value/value.ts';

/** How deep functions may call each other. */
const DEEPEST = 100;

const depths = new WeakMap<Scope['step'], { depth: number }>();

/** Returns the function that a block defines. @throws TbuildError BAKE_FILE */
export function userFunction(name: string, block: Block, scope: Scope): BakeFunction {
  const attribute = (wanted: string): Expression | undefined =>
    block.body.attributes.find((one) => one.name === wanted)?.expression;
  const result = attribute('result');
  if (result === undefined) throw errorAt(block.place, `The function ${JSON.stringify(name)} has no "result"`);
  const params = attribute('params');
  const names = params === undefined ? [] : params.kind === 'tuple' ? params.items.map(wordOf) : [wordOf(params)];
  const rest = attribute('variadic_params');
  const restName = rest === undefined ? undefined : wordOf(rest);
  return {
    call(values) {
      if (values.length < names.length || (restName === undefined && values.length > names.length))
        throw new TbuildError('BAKE_FILE', `expected ${names.length} arguments, found ${values.length}`);
      const given = new Map<string, Value>(names.map((param, at) => [param, values[at] ?? null]));
      if (restName !== undefined) given.set(restName, list(values.slice(names.length)));
      return deeper(scope, () => evaluate(result, withVariables(scope, given)));
    },
  };
}

function wordOf(expression: Expression): string {
  if (expression.kind === 'variable') return expression.name;
  if (expression.kind === 'literal' && typeof expression.value === 'string') return expression.value;
  throw errorAt(expression.place, 'The name of a parameter has to be a word');
}

/** Counts the calls that are under way in the files of a scope. */
function deeper<T>(scope: Scope, work: () => T): T {
  const calls = depths.get(scope.step) ?? { depth: 0 };
  depths.set(scope.step, calls);
  if (calls.depth >= DEEPEST)
    throw new TbuildError('BAKE_FILE', `functions call each other more than ${DEEPEST} levels deep`);
  calls.depth++;
  try {
    return work();
  } finally {
    calls.depth--;
  }
}
