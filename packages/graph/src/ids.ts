import type { Digest } from '@tbuild/oci';

declare const kind: unique symbol;

/** A digest that stands for one kind of thing, so that no other kind is taken for it. */
type Identity<Kind extends string> = Digest & { readonly [kind]: Kind };

/** The digest of a step's op and inputs. Identical steps are one step. */
export type StepId = Identity<'StepId'>;

/** The key of a step in the cache: the digest of its op, of its base's result and of the content that it reads. */
export type StepKey = Identity<'StepKey'>;

/** Names the result of a step: a chain ID, the step's key, or random bits that are bound to the key. */
export type ResultId = Identity<'ResultId'>;

export function stepId(digest: Digest): StepId {
  return digest as StepId;
}

export function stepKey(digest: Digest): StepKey {
  return digest as StepKey;
}

export function resultId(digest: Digest): ResultId {
  return digest as ResultId;
}
