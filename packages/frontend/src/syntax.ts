import { detectSyntax } from '@tbuild/dockerfile';
import { hasCode, TbuildError, type SourceRange } from '@tbuild/errors';
import { parseReference } from '@tbuild/oci';
import { buildArg } from './build-args.ts';

/** The images with Docker's own Dockerfile frontend, on any registry. This package implements it. */
const FAMILY = /(?:^|\/)docker\/dockerfile(?:-upstream)?$/;

/** BuildKit's name for the frontend that is part of it; the file's directive then does not count. */
const BUILT_IN = 'dockerfile.v0';

/**
 * Returns the frontend image that a file, or the build argument BUILDKIT_SYNTAX, names, if it is Docker's Dockerfile
 * frontend, which is built in. Returns undefined if no frontend is named.
 * @throws TbuildError UNSUPPORTED with a location for any other image.
 */
export function builtInSyntax(
  text: string,
  { file, buildArgs }: { readonly file: string; readonly buildArgs: Readonly<Record<string, string>> },
): string | undefined {
  const given = buildArg(buildArgs, 'BUILDKIT_SYNTAX') ?? '';
  if (given === BUILT_IN) return undefined;
  const written = given === '' ? detectSyntax(text, file) : undefined;
  const image = given === '' ? (written?.text ?? '') : given;
  if (image === '' || isFamily(image)) return image === '' ? undefined : image;
  throw unsupported(image, written?.location);
}

function isFamily(image: string): boolean {
  try {
    return FAMILY.test(parseReference(image).repository);
  } catch (error) {
    if (hasCode(error, 'USAGE')) return false;
    throw error;
  }
}

function unsupported(image: string, location: SourceRange | undefined): TbuildError {
  const source = location === undefined ? 'the build argument BUILDKIT_SYNTAX' : 'the syntax directive';
  return new TbuildError('UNSUPPORTED', `Frontend ${JSON.stringify(image)} of ${source} cannot be run`, {
    location,
    hint: 'Remove it, or name docker/dockerfile, which is built in: no other frontend is supported',
  });
}
