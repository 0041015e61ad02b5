import { suggest, TbuildError } from '@tbuild/errors';
import type { SourceRange } from '@tbuild/errors';

/** The error for a text that is no Dockerfile; `location` is what to underline. */
export function syntaxError(message: string, location: SourceRange, hint?: string): TbuildError {
  return new TbuildError('DOCKERFILE_SYNTAX', message, { location, hint });
}

/** The hint for a misspelt word, when a candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const near = suggest(word, candidates);
  return near === undefined ? undefined : `Did you mean "${near}"?`;
}
