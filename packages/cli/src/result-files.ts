import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { BuildResult } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { formatReference, formatRepository, parseReference } from '@tbuild/oci';
import type { FlagValues } from './args.ts';
import type { buildFlags } from './build-flags.ts';
import { buildMetadata } from './build-metadata.ts';

type ResultFlag =
  | 'iidfile'
  | 'metadata-file'
  | 'digest-file'
  | 'image-name-with-digest-file'
  | 'image-name-tag-with-digest-file';

/**
 * Writes the files that tell other programs what was built: its ID, its metadata, and as kaniko does its digest alone
 * or behind each name.
 * @throws TbuildError USAGE for a digest when nothing was made that has one.
 */
export function writeResultFiles(
  result: BuildResult,
  flags: Pick<FlagValues<typeof buildFlags>, ResultFlag>,
  cwd: string,
): void {
  const contents: Record<ResultFlag, () => string> = {
    iidfile: () => result.id,
    'metadata-file': () => `${JSON.stringify(buildMetadata(result), null, 2)}\n`,
    'digest-file': () => digestOf(result),
    'image-name-with-digest-file': () => names(result, { tagged: false }),
    'image-name-tag-with-digest-file': () => names(result, { tagged: true }),
  };
  for (const [name, path] of Object.entries(flags)) {
    const content = isResultFlag(name, contents) ? contents[name] : undefined;
    if (content !== undefined && typeof path === 'string') writeFileSync(resolve(cwd, path), content());
  }
}

function isResultFlag(name: string, contents: Record<ResultFlag, () => string>): name is ResultFlag {
  return Object.hasOwn(contents, name);
}

function digestOf({ manifest }: BuildResult): string {
  if (manifest !== undefined) return manifest.digest;
  throw new TbuildError('USAGE', 'What was built has no digest: it is no image', {
    hint: 'Digests belong to -o type=image, registry, docker and oci',
  });
}

function names(result: BuildResult, { tagged }: { readonly tagged: boolean }): string {
  const digest = digestOf(result);
  const lines = result.names.map((name) => {
    const reference = parseReference(name);
    return `${tagged ? formatReference({ ...reference, digest: undefined }) : formatRepository(reference)}@${digest}\n`;
  });
  return [...new Set(lines)].join('');
}
