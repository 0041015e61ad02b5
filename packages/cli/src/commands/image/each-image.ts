import { TbuildError } from '@tbuild/errors';

/**
 * Does something with every image that was named, and goes on after one for which it cannot be done.
 * @throws TbuildError at the end: the one error, or what all of them say.
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
  // What is worse than missing counts.
  const { code } = errors.find((error) => error.code !== 'NOT_FOUND') ?? first;
  throw new TbuildError(code, errors.map(({ message }) => message).join('; '), { hint: first.hint });
}
