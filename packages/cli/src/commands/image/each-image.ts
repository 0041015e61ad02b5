import { TbuildError } from '@tbuild/errors';

/**
 * Runs a function for every named image, and continues after one that fails.
 * @throws TbuildError at the end: the only error, or one with the messages of all.
 */
export async function eachImage(names: readonly string[], work: (name: string) => Promise<void> | void): Promise<void> {
  const errors: TbuildError[] = [];
  for (const name of names) {
    try {
      await work(name);
    } catch (error) {
      if (!(error instanceof TbuildError)) throw error;
      errors.push(error);
    }
  }
  const [first, ...more] = errors;
  if (first === undefined) return;
  if (more.length === 0) throw first;
  // An error other than a missing image sets the code.
  const { code } = errors.find((error) => error.code !== 'NOT_FOUND') ?? first;
  throw new TbuildError(code, errors.map(({ message }) => message).join('; '), { hint: first.hint });
}
