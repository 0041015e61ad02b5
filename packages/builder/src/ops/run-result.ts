import { randomBytes } from 'node:crypto';
import type { ResultId } from '@tbuild/cache';
import { digestOf, hexOf, type Digest } from '@tbuild/oci';

/**
 * A fresh result for a RUN. It is bound to the step's key, so that an imported cache cannot give a step what stands for
 * another one here: a base image, a copy, somebody else's RUN.
 */
export function drawResult(key: Digest): ResultId {
  return bound(randomBytes(16).toString('hex'), key);
}

export function isDrawnFor(key: Digest, result: ResultId): boolean {
  return bound(hexOf(result).slice(0, 32), key) === result;
}

function bound(drawn: string, key: Digest): ResultId {
  return `sha256:${drawn}${hexOf(digestOf(`${drawn} ${key}`)).slice(0, 32)}`;
}
