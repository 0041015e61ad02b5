import { stepKey, type StepKey } from '@tbuild/graph';
import { canonicalJson, digestOf } from '@tbuild/oci';

/**
 * The version of what steps mean. Raise it with every change that makes a step give other bytes, so that no store, cache or
 * program of an earlier version serves its layers as this one's.
 */
export const SEMANTICS = 2;

/** Returns the key of a step from all that its result depends on; a JSON value. */
export function keyOf(definition: object): StepKey {
  return stepKey(digestOf(canonicalJson({ ...definition, semantics: SEMANTICS })));
}
