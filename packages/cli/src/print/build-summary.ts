import type { BuildResult, Services } from '@tbuild/builder';
import { buildId, type BuildRecord, findRecord, listBuilds } from '@tbuild/builds';
import { readStored } from '@tbuild/content';
import { type Descriptor, familiarReference, hexOf, isIndex, parseManifest, parseReference } from '@tbuild/oci';
import type { OutputSpec } from '@tbuild/spec';
import { formatBytes, formatSeconds } from '@tbuild/tui';

type Ports = Pick<Services, 'store' | 'content'>;

/**
 * Returns what a build made, in a line or two for a terminal: name, size and its change, time, what was cached, and the
 * command that people need next. Empty for a build that made no image.
 */
export function buildSummary(result: BuildResult, outputs: readonly OutputSpec[], ports: Ports): string {
  const { manifest, names, id, ref } = result;
  const record = findRecord(ports.store, buildId(ref));
  if (manifest === undefined || record === undefined) return '';
  const [first] = names;
  const name = first === undefined ? undefined : familiarReference(parseReference(first));
  const { counts, startedAt, completedAt } = record;
  const made = [
    `Built ${name ?? 'an image without a name'} (${hexOf(id).slice(0, 12)})`,
    sizeText(manifest, record, ports),
    `in ${formatSeconds(completedAt - startedAt)}`,
    `${counts.cached} of ${counts.total} steps cached`,
  ];
  const next = nextCommand(name ?? hexOf(id).slice(0, 12), outputs);
  return `${made.filter((part) => part !== undefined).join(', ')}\n${next === undefined ? '' : `Next: ${next}\n`}`;
}

/** `42.1MB (1.2MB more than before)`: the layers as they are stored. */
function sizeText(manifest: Descriptor, record: BuildRecord, ports: Ports): string | undefined {
  const size = storedSize(manifest, ports);
  if (size === undefined) return undefined;
  const before = sizeBefore(record, ports);
  if (before === undefined || before === size) return formatBytes(size);
  return `${formatBytes(size)} (${formatBytes(Math.abs(size - before))} ${size > before ? 'more' : 'less'} than before)`;
}

function sizeBefore({ id, name }: BuildRecord, ports: Ports): number | undefined {
  for (const earlier of listBuilds(ports.store)) {
    if (earlier.id === id || earlier.name !== name || earlier.status !== 'completed') continue;
    const { manifest }: Partial<BuildResult> = Object(Object.values(earlier.results)[0]);
    return manifest === undefined ? undefined : storedSize(manifest, ports);
  }
  return undefined;
}

/** Returns the size of an image, or of all images of an index; undefined if a document is not in the store. */
function storedSize({ digest }: Pick<Descriptor, 'digest'>, ports: Ports): number | undefined {
  const bytes = readStored(ports.content, digest);
  if (bytes === undefined) return undefined;
  const document = parseManifest(bytes);
  if (!isIndex(document)) return document.layers.reduce((sum, layer) => sum + layer.size, 0);
  const images = document.manifests.filter(({ platform }) => platform?.os !== 'unknown');
  const sizes = images.map((image) => storedSize(image, ports));
  return sizes.reduce((sum, size) => (sum === undefined || size === undefined ? undefined : sum + size), 0);
}

function nextCommand(name: string, outputs: readonly OutputSpec[]): string | undefined {
  if (outputs.some((output) => output.type === 'docker' && output.destination === undefined))
    return `docker run ${name}`;
  const isStored = outputs.some((output) => output.type === 'image' && !output.push && output.store !== false);
  return isStored ? `tbuild push ${name}, or build with --load for docker run ${name}` : undefined;
}
