import { stepKey, type StepKey } from '@tbuild/graph';
import { canonicalJson, digestOf } from '@tbuild/oci';

/** Returns the key of a step from all that its result depends on; a JSON value. */
export function keyOf(definition: object): StepKey {
  return stepKey(digestOf(canonicalJson(definition)));
}
