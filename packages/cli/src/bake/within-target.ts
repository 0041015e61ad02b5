import { TbuildError } from '@tbuild/errors';

/** Runs work for a target, and says in an error which target it is about. */
export function withinTarget<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TbuildError)) throw error;
    const { code, hint, location, message } = error;
    throw new TbuildError(code === 'USAGE' ? 'BAKE_FILE' : code, `Target ${JSON.stringify(name)}: ${message}`, {
      hint,
      location,
      cause: error,
    });
  }
}
