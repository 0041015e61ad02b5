import { randomBytes } from 'node:crypto';
import { resultId, type ResultId, type Step, type StepKey } from '@tbuild/graph';
import { digestOf, hexOf } from '@tbuild/oci';

/**
 * Creates a new result ID for a step whose key does not determine its result. The ID is bound to the key, so that an
 * imported cache cannot pass off another result for it: a base image, a copy, another RUN.
 */
export function newResultId(key: StepKey): ResultId {
  return bound(randomBytes(16).toString('hex'), key);
}

/**
 * Returns the key as the result of a step whose key determines its result, so that equal steps share a tree. With
 * `--no-cache` the result is new: file times are in no key, and a tree under the key would keep those of the first
 * build.
 */
export function keyedResult(key: StepKey, { noCache }: Pick<Step, 'noCache'>): ResultId {
  return noCache ? newResultId(key) : resultId(key);
}

/** Returns whether {@link keyedResult} may have returned this in some build. */
export function isKeyedResult(key: StepKey, result: ResultId): boolean {
  return result === resultId(key) || isResultOf(key, result);
}

export function isResultOf(key: StepKey, result: ResultId): boolean {
  return bound(hexOf(result).slice(0, 32), key) === result;
}

function bound(drawn: string, key: StepKey): ResultId {
  return resultId(`sha256:${drawn}${hexOf(digestOf(`${drawn} ${key}`)).slice(0, 32)}`);
}
