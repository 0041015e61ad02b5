import { detectSyntax } from '@tbuild/dockerfile';
import { hasCode, TbuildError, type SourceRange } from '@tbuild/errors';
import { parseReference } from '@tbuild/oci';
import { buildArg } from './build-args.ts';

/** The images with Docker's own Dockerfile frontend, on any registry. This package implements it. */
const FAMILY = /(?:^|\/)docker\/dockerfile(?:-upstream)?$/;

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
    hint: 'Only Dockerfiles are understood: docker/dockerfile is built in, and needs no directive',
  });
}
