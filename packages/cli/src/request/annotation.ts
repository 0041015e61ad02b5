import { TbuildError } from '@tbuild/errors';
import type { Annotation } from '@tbuild/spec';
import { parsePlatform, type Platform } from '@tbuild/oci';

const KINDS = ['manifest', 'index', 'manifest-descriptor', 'index-descriptor'] as const;

/** Reads `[KIND[PLATFORM],...:]NAME=VALUE`; the kind is `manifest` unless given. */
export function parseAnnotation(text: string, host: Platform): readonly Annotation[] {
  const match = /^(?:((?:(?:manifest|index)(?:-descriptor)?(?:\[[^\]]*\])?,?)+):)?([^=]+)=(.*)$/s.exec(text);
  if (match === null) {
    throw new TbuildError('USAGE', `Annotation ${JSON.stringify(text)} is not of the form [KIND:]NAME=VALUE`, {
      hint: `Kinds are ${KINDS.join(', ')}`,
    });
  }
  const [, kinds = 'manifest', name = '', value = ''] = match;
  return kinds
    .split(',')
    .filter((kind) => kind !== '')
    .map((kind) => ({ ...parseAnnotationKind(kind, host), name, value }));
}

/** Reads `manifest[linux/arm64]`. */
export function parseAnnotationKind(text: string, host: Platform): Pick<Annotation, 'on' | 'platform'> {
  const [, kind, platform] = /^([a-z-]+)(?:\[(.+)\])?$/.exec(text) ?? [];
  const on = KINDS.find((known) => known === kind);
  if (on === undefined)
    throw new TbuildError('USAGE', `Annotations cannot be for ${JSON.stringify(text)}`, {
      hint: `Kinds are ${KINDS.join(', ')}`,
    });
  return { on, ...(platform === undefined ? {} : { platform: parsePlatform(platform, host) }) };
}
