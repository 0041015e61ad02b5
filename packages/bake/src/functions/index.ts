import { addressFunctions } from './addresses.ts';
import { bcryptFunction } from './bcrypt.ts';
import { collectionFunctions } from './collections.ts';
import { encodingFunctions } from './encoding.ts';
import { fn, type BakeFunction, type FunctionEnvironment } from './function.ts';
import { numberFunctions } from './numbers.ts';
import { stringFunctions } from './strings.ts';
import { timeFunctions } from './times.ts';
import { versionFunctions } from './versions.ts';

/** Returns the functions that every bake file has. `try`, `can` and `convert` take expressions and are not among them. */
export function standardFunctions(env: FunctionEnvironment): ReadonlyMap<string, BakeFunction> {
  return new Map(
    Object.entries({
      ...numberFunctions,
      ...stringFunctions,
      ...collectionFunctions,
      ...encodingFunctions,
      ...addressFunctions,
      ...versionFunctions,
      ...timeFunctions(env),
      bcrypt: bcryptFunction(env),
      homedir: fn([], () => env.home ?? ''),
    }),
  );
}
