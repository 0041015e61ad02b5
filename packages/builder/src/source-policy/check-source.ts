import { TbuildError } from '@tbuild/errors';
import { type EngineName, gitFragment, parseGitSource } from '@tbuild/frontend';
import type { GitOp, HttpOp } from '@tbuild/graph';
import { formatReference, isDigest, parseReference } from '@tbuild/oci';
import { applyPolicy, type PolicySource, type SourcePolicy } from './source-policy.ts';

const IMAGE = 'docker-image://';

/**
 * Returns the image to use instead of this one, by a source policy.
 * @throws TbuildError DOCKERFILE_SEMANTICS if the policy denies it.
 */
export function checkedImage(policy: SourcePolicy, reference: string): string {
  if (policy.length === 0) return reference;
  const { identifier } = checkSource(policy, {
    identifier: IMAGE + formatReference(parseReference(reference)),
    attributes: {},
  });
  if (identifier.startsWith(IMAGE)) return identifier.slice(IMAGE.length);
  throw unusable(identifier, 'an image');
}

/**
 * Checks an image of an engine, which a source policy can deny but not convert.
 * @throws TbuildError DOCKERFILE_SEMANTICS if it is denied or converted.
 */
export function checkEngineImage(policy: SourcePolicy, { engine, reference }: EngineName): void {
  const asked = `${engine}://${reference}`;
  const { identifier } = checkSource(policy, { identifier: asked, attributes: {} });
  if (identifier !== asked) throw unusable(identifier, 'an image of an engine');
}

/**
 * Returns the file or repository to fetch instead of this one, by a source policy.
 * @throws TbuildError DOCKERFILE_SEMANTICS if the policy denies it.
 */
export function checkedFetch<O extends GitOp | HttpOp>(policy: SourcePolicy, op: O): O {
  if (policy.length === 0) return op;
  return op.kind === 'http' ? { ...op, ...checkedHttp(policy, op) } : { ...op, ...checkedGit(policy, op) };
}

function checkedHttp(policy: SourcePolicy, { url, checksum }: HttpOp): Partial<HttpOp> {
  const attributes: Record<string, string> = checksum === undefined ? {} : { 'http.checksum': checksum };
  const source = checkSource(policy, { identifier: url, attributes });
  if (!/^https?:/i.test(source.identifier)) throw unusable(source.identifier, 'a file');
  const wanted = source.attributes['http.checksum'];
  if (wanted !== undefined && !isDigest(wanted)) throw unusable(wanted, 'a checksum');
  return { url: source.identifier, checksum: wanted };
}

function checkedGit(policy: SourcePolicy, { url, ref, subdirectory }: GitOp): Partial<GitOp> {
  const place = url.replace(/^[a-z+]+:\/\//i, '').replace(/^[^/@]*@/, '');
  const before = {
    identifier: `git://${place}${gitFragment({ ref, subdirectory })}`,
    attributes: { 'git.fullurl': url },
  };
  const { identifier, attributes } = checkSource(policy, before);
  if (identifier === before.identifier) return {};
  const source = parseGitSource(identifier);
  if (source === undefined || 'wrong' in source) throw unusable(identifier, 'a repository');
  const isSame = source.url === `git://${place}`;
  const full = attributes['git.fullurl'] ?? url;
  return {
    url: isSame || full !== url ? full : source.url.replace(/^git:/, 'https:'),
    ref: source.ref,
    subdirectory: source.subdirectory,
  };
}

function checkSource(policy: SourcePolicy, source: PolicySource): PolicySource {
  const decision = decide(policy, source);
  if (decision !== undefined) return decision;
  throw new TbuildError('DOCKERFILE_SEMANTICS', `Source ${JSON.stringify(source.identifier)} is denied by policy`, {
    hint: 'Use a source that the source policy allows, or change the policy',
  });
}

function decide(policy: SourcePolicy, source: PolicySource): PolicySource | undefined {
  try {
    return applyPolicy(policy, source);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TbuildError('DOCKERFILE_SEMANTICS', error.message, {
      hint: 'Change the CONVERT rules of the source policy',
    });
  }
}

function unusable(identifier: string, expected: string): TbuildError {
  return new TbuildError(
    'DOCKERFILE_SEMANTICS',
    `The source policy converts a source into ${JSON.stringify(identifier)}, which is not ${expected}`,
    { hint: 'Change the CONVERT rules of the source policy' },
  );
}
