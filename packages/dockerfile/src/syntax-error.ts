import { suggest, TbuildError, type SourceRange } from '@tbuild/errors';

/** Creates the error for an invalid Dockerfile; `location` is underlined. */
export function syntaxError(message: string, location: SourceRange, hint?: string): TbuildError {
  return new TbuildError('DOCKERFILE_SYNTAX', message, { location, hint });
}

/** Returns what Docker adds to a message about a misspelt word: ` (did you mean X?)`, or nothing if no candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const near = suggest(word, candidates);
  return near === undefined ? '' : ` (did you mean ${near}?)`;
}
