import { samePlatform, type Descriptor, type Platform } from '@tbuild/oci';
import type { Annotation } from '@tbuild/spec';

/** Returns the annotations on one document, of one platform where it has one; undefined when there are none. */
export function annotationsOf(
  annotations: readonly Annotation[],
  on: Annotation['on'],
  platform?: Platform,
): Readonly<Record<string, string>> | undefined {
  const said = annotations.filter(
    (one) =>
      one.on === on && (one.platform === undefined || (platform !== undefined && samePlatform(one.platform, platform))),
  );
  return said.length === 0 ? undefined : Object.fromEntries(said.map(({ name, value }) => [name, value]));
}

/** Returns the descriptor with more annotations. */
export function annotated(target: Descriptor, added: Readonly<Record<string, string>> | undefined): Descriptor {
  return added === undefined ? target : { ...target, annotations: { ...target.annotations, ...added } };
}
