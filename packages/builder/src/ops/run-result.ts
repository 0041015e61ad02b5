import { randomBytes } from 'node:crypto';
import { resultId, type ResultId, type Step, type StepKey } from '@tbuild/graph';
import { digestOf, hexOf } from '@tbuild/oci';

/**
 * Draws a fresh result for a step whose key does not tell all of what it gives. It is bound to the key, so that an imported
 * cache cannot give a step what stands for another one here: a base image, a copy, somebody else's RUN.
 */
export function newResultId(key: StepKey): ResultId {
  return bound(randomBytes(16).toString('hex'), key);
}

/**
 * Returns the key itself for a step whose key tells what it gives, so that equal steps share a tree. With the cache turned
 * off the result is drawn: times of files are in no key, and a tree under the key keeps those of the first build.
 */
export function keyedResult(key: StepKey, { noCache }: Pick<Step, 'noCache'>): ResultId {
  return noCache ? newResultId(key) : resultId(key);
}

/** Whether this can be what {@link keyedResult} returned in some build. */
export function isKeyedResult(key: StepKey, result: ResultId): boolean {
  return result === resultId(key) || isResultOf(key, result);
}

export function isResultOf(key: StepKey, result: ResultId): boolean {
  return bound(hexOf(result).slice(0, 32), key) === result;
}

function bound(drawn: string, key: StepKey): ResultId {
  return resultId(`sha256:${drawn}${hexOf(digestOf(`${drawn} ${key}`)).slice(0, 32)}`);
}
