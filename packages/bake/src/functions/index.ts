import { TbuildError } from '@tbuild/errors';
import { addressFunctions } from './addresses.ts';
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
      bcrypt: fn(['string'], () => {
        throw new TbuildError('UNSUPPORTED', 'bcrypt is not supported', {
          hint: 'Pass the hash in a variable: a hash with a new salt would also defeat the cache in every build',
        });
      }),
      homedir: fn([], () => env.home ?? ''),
    }),
  );
}
