import { suggest, TbuildError, type SourceRange } from '@tbuild/errors';

/** Creates the error for an invalid Dockerfile; `location` is underlined. */
export function syntaxError(message: string, location: SourceRange, hint?: string): TbuildError {
  return new TbuildError('DOCKERFILE_SYNTAX', message, { location, hint });
}

/** Returns the hint for a misspelt word, if a candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const near = suggest(word, candidates);
  return near === undefined ? undefined : `Did you mean "${near}"?`;
}
