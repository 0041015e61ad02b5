import { TbuildError, type SourceRange } from '@tbuild/errors';

interface Target {
  readonly name: string;
  /** Where it is defined. */
  readonly location?: SourceRange;
}

/** Runs work for a target, and says in an error which target it is about. */
export function withinTarget<T>({ name, location: defined }: Target, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TbuildError)) throw error;
    const { code, hint, location = defined, message } = error;
    throw new TbuildError(code === 'USAGE' ? 'BAKE_FILE' : code, `Target ${JSON.stringify(name)}: ${message}`, {
      hint,
      location,
      cause: error,
    });
  }
}
