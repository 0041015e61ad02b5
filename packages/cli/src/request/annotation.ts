import { TbuildError } from '@tbuild/errors';
import { parsePlatform, type Platform } from '@tbuild/oci';
import type { Annotation } from '@tbuild/spec';

const KINDS = ['manifest', 'index', 'manifest-descriptor', 'index-descriptor'] as const;

/** Returns the annotations that `[KIND[PLATFORM],...:]NAME` and a value stand for; the kind defaults to `manifest`. A colon ends kinds. */
export function annotationsNamed(written: string, value: string, host: Platform): readonly Annotation[] {
  const end = written.indexOf(':');
  const kinds = end < 0 ? 'manifest' : written.slice(0, end);
  const name = written.slice(end + 1);
  return kinds.split(',').map((kind) => ({ ...parseAnnotationKind(kind, host), name, value }));
}

/** Reads `manifest[linux/arm64]`. */
export function parseAnnotationKind(text: string, host: Platform): Pick<Annotation, 'on' | 'platform'> {
  const [, kind, platform] = /^([a-z-]+)(?:\[(.+)\])?$/.exec(text) ?? [];
  const on = KINDS.find((known) => known === kind);
  if (on === undefined)
    throw new TbuildError('USAGE', `Invalid annotation kind ${JSON.stringify(text)}: expected ${KINDS.join(', ')}`);
  return { on, ...(platform === undefined ? {} : { platform: parsePlatform(platform, host) }) };
}
