import { resolve } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import type { ImagePlace } from '@tbuild/images';
import { parseReference } from '@tbuild/oci';

/**
 * Reads the name of an image in a registry, or `oci-layout://DIRECTORY[:TAG][@DIGEST]`.
 * @throws TbuildError USAGE
 */
export function imagePlace(text: string, cwd: string): ImagePlace {
  if (!text.startsWith(LAYOUT)) return { kind: 'registry', reference: parseReference(text) };
  const [, path, tag, digest] =
    /^(.+?)(?::([\w][\w.-]*))?(?:@(sha256:[a-f0-9]{64}))?$/.exec(text.slice(LAYOUT.length)) ?? [];
  if (path !== undefined) return { kind: 'layout', path: resolve(cwd, path), name: digest ?? tag };
  throw new TbuildError(
    'USAGE',
    `Invalid image ${JSON.stringify(text)}: expected oci-layout://DIRECTORY[:TAG][@DIGEST]`,
  );
}

const LAYOUT = 'oci-layout://';
