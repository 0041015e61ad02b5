import { TbuildError } from '@tbuild/errors';
import { Num } from '../value/number.ts';
import { toIndex, variadic, type BakeFunction, type FunctionEnvironment } from './function.ts';

const [DEFAULT_COST, LEAST_COST, MOST_COST] = [10, 4, 31];

/** The rounds of all hashes of the files: below a minute of work. */
const MOST_ROUNDS = 2 ** 18;

/** Returns the function that hashes a password. Go takes the default cost for one that is too small. */
export function bcryptFunction({ bcrypt }: Pick<FunctionEnvironment, 'bcrypt'>): BakeFunction {
  let rounds = 0;
  return variadic(['string'], 'number', ([cost = Num.of(DEFAULT_COST), ...more], text) => {
    if (bcrypt === undefined) throw new Error('The package for bcrypt is loaded for files with that word');
    const given = toIndex(cost, 'The cost');
    const power = given < LEAST_COST ? DEFAULT_COST : given;
    if (more.length > 0) throw new TbuildError('BAKE_FILE', 'expected 1 or 2 arguments');
    if (power > MOST_COST) throw new TbuildError('BAKE_FILE', `the cost has to be from ${LEAST_COST} to ${MOST_COST}`);
    if (Buffer.byteLength(text) > 72) throw new TbuildError('BAKE_FILE', 'the password is longer than 72 bytes');
    rounds += 2 ** power;
    if (rounds > MOST_ROUNDS)
      throw new TbuildError('BAKE_FILE', `the hashes of the files take more than ${MOST_ROUNDS} rounds`, {
        hint: 'Use a lower cost, or pass the hash in a variable',
      });
    return bcrypt.hashSync(text, bcrypt.genSaltSync(power).replace('$2b$', '$2a$'));
  });
}
