import { type Step } from '@tbuild/graph';
import { formatReference, parseReference, type Image } from '@tbuild/oci';
import type { ImageEdits } from '../request.ts';

/** Returns the image with the changes that the user asked for. `base` is the step of its base image. */
export function editImage(image: Image, edits: ImageEdits, base: Step | undefined): Image {
  const { config, history } = image;
  const annotations = edits.baseAnnotations ? baseAnnotations(base) : undefined;
  return {
    ...image,
    config: { ...config, ...editedEnv(config.Env, edits), ...editedLabels(config.Labels, edits) },
    history: edits.omitHistory ? [] : history,
    ...(annotations === undefined ? {} : { annotations: { ...image.annotations, ...annotations } }),
  };
}

function editedEnv(before: readonly string[] = [], { env, unsetEnv }: ImageEdits): { Env?: readonly string[] } {
  const added = Object.entries(env);
  if (added.length + unsetEnv.length === 0) return {};
  const gone = new Set([...unsetEnv, ...added.map(([name]) => name)]);
  const kept = before.filter((text) => !gone.has(text.split('=', 1)[0] ?? ''));
  return { Env: [...kept, ...added.map(([name, value]) => `${name}=${value}`)] };
}

function editedLabels(
  before: Readonly<Record<string, string>> = {},
  { unsetLabels }: ImageEdits,
): { Labels?: Readonly<Record<string, string>> } {
  if (unsetLabels.length === 0) return {};
  return { Labels: Object.fromEntries(Object.entries(before).filter(([name]) => !unsetLabels.includes(name))) };
}

/** As OCI defines them: the name with its tag, and the digest of the manifest for the platform. A layout has no name. */
function baseAnnotations(base: Step | undefined): Readonly<Record<string, string>> | undefined {
  if (base?.op.kind !== 'image') return undefined;
  const { manifest, reference, source } = base.op;
  const own = { 'org.opencontainers.image.base.digest': manifest };
  if (source.kind === 'layout') return own;
  const { tag, digest, ...name } = parseReference(reference);
  const written = formatReference({ ...name, ...(tag === undefined ? { digest } : { tag }) });
  return { ...own, 'org.opencontainers.image.base.name': written };
}
