import type { BakeFunction } from '../functions/function.ts';
import type { Place } from '../source.ts';
import type { Value } from '../value/value.ts';

/** What an expression can refer to. */
export interface Scope {
  /**
   * Returns the value of a variable. `path` are the names behind it (`target.app.args`): a scope may need them to
   * evaluate no more than is asked for.
   * @throws TbuildError BAKE_FILE for an unknown one.
   */
  variable(name: string, place: Place, path: readonly string[]): Value;
  /** @throws TbuildError BAKE_FILE for an unknown one. */
  function(name: string, place: Place): BakeFunction;
  /**
   * Counts steps, so that no file runs without end: one for an expression, and one for each item that a call makes.
   * @throws TbuildError BAKE_FILE when there were too many.
   */
  step(place: Place, count?: number): void;
}

/** Returns a scope with further variables. */
export function withVariables(scope: Scope, variables: ReadonlyMap<string, Value>): Scope {
  return {
    ...scope,
    variable(name, place, path) {
      const value = variables.get(name);
      return value === undefined ? scope.variable(name, place, path) : value;
    },
  };
}
