import { fromBytes } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { Annotation, digestOf, EMPTY_DOCUMENT, type Manifest, MediaType } from '@tbuild/oci';
import { fetchDigest, putDocument } from './documents.ts';
import { readBody } from './http-message.ts';
import { parseLocation } from './parse-location.ts';
import { RegistryError } from './registry-error.ts';
import { ask, type Remote } from './remote.ts';
import { upload } from './upload.ts';

const PAGE = 1000;
const PAGES = 1000;
const LIMIT = 16 * 1024 * 1024;

/** Returns the tags of the repository. */
export async function listTags(remote: Remote, signal?: AbortSignal): Promise<readonly string[]> {
  const tags: string[] = [];
  let target: string | URL = `tags/list?n=${PAGE}`;
  for (let page = 0; page < PAGES; page += 1) {
    const subject = `tags of ${remote.name}`;
    const response = await ask(remote, { method: 'GET', target, accept: [200], subject, signal });
    for (const tag of parseTags(await readBody(response, LIMIT), remote)) tags.push(tag);
    // "Listing Tags": the next page as RFC 5988 writes it. The excluded "<" keeps the time linear.
    const next = /<([^<>]+)>\s*;[^,<]*\brel="?next\b/.exec(response.headers['link'] ?? '')?.[1];
    if (next === undefined) return tags;
    target = parseLocation(next, response.url);
  }
  throw new TbuildError('UNSUPPORTED', `Repository ${remote.name} has more than ${PAGES} pages of tags`);
}

function parseTags(bytes: Buffer, { name }: Remote): readonly string[] {
  try {
    const { tags }: { tags?: unknown } = JSON.parse(bytes.toString('utf8'));
    // A repository without tags has null.
    if (tags === null || Array.isArray(tags)) return (tags ?? []).filter((tag: unknown) => typeof tag === 'string');
  } catch {}
  throw new TbuildError('REGISTRY', `The list of tags of ${name} is not valid`);
}

/**
 * Removes a tag. Its image stays where another tag names it, also in registries that delete only by digest: there the tag
 * is first moved to an empty manifest of its own.
 * @throws RegistryError for a tag that does not exist, and where the registry allows no deletion.
 */
export async function removeTag(remote: Remote, tag: string, signal?: AbortSignal): Promise<void> {
  try {
    return await deleteManifest(remote, tag, signal);
  } catch (error) {
    // docker-registry takes a tag for a digest that is not valid.
    if (!(error instanceof RegistryError && (error.status === 400 || error.status === 405))) throw error;
  }
  await fetchDigest(remote, tag, signal);
  const empty = emptyManifest(tag);
  const digest = digestOf(empty.bytes);
  await upload(remote, { source: fromBytes(EMPTY_DOCUMENT.bytes), expected: EMPTY_DOCUMENT.descriptor }, signal);
  // Finds out first whether the registry deletes at all.
  for (const tagOrDigest of [digest, tag]) {
    await putDocument(remote, empty, { tagOrDigest, signal });
    await deleteManifest(remote, digest, signal);
  }
}

async function deleteManifest(remote: Remote, tagOrDigest: string, signal?: AbortSignal): Promise<void> {
  const response = await ask(remote, {
    method: 'DELETE',
    target: `manifests/${tagOrDigest}`,
    access: 'delete',
    accept: [200, 202, 204],
    subject: `image ${remote.name}:${tagOrDigest}`,
    signal,
  });
  await response.discard();
}

/** Returns a manifest that no other tag has. */
function emptyManifest(tag: string): { readonly bytes: Uint8Array; readonly mediaType: string } {
  const manifest: Manifest & { readonly artifactType: string } = {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    artifactType: 'application/vnd.tbuild.removed.v1',
    config: EMPTY_DOCUMENT.descriptor,
    layers: [EMPTY_DOCUMENT.descriptor],
    annotations: { [Annotation.refName]: tag },
  };
  return { bytes: Buffer.from(JSON.stringify(manifest)), mediaType: MediaType.manifest };
}
