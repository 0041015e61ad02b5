import type { BuildResult, Services } from '@tbuild/builder';
import { buildId, type BuildRecord, findRecord, listBuilds } from '@tbuild/builds';
import { readStored } from '@tbuild/content';
import { type Descriptor, familiarReference, hexOf, isIndex, parseManifest, parseReference } from '@tbuild/oci';
import type { OutputSpec } from '@tbuild/spec';
import { formatBytes, formatSeconds } from '@tbuild/tui';

type Ports = Pick<Services, 'store' | 'content'>;

/** An image that a build made. */
export interface MadeImage {
  /** The name of the target in a build of several. */
  readonly target?: string;
  readonly result: BuildResult;
  readonly outputs: readonly OutputSpec[];
}

/**
 * Returns what a build made, for a terminal: name, size and its change of each image, time, what was cached, and the
 * command that people need next after a build of one. Empty for a build that made no image.
 */
export function buildSummary(
  made: readonly MadeImage[],
  { ref, services }: { readonly ref: string; readonly services: Ports },
): string {
  const record = findRecord(services.store, buildId(ref));
  const lines = record === undefined ? [] : made.flatMap((image) => imageLine(image, record, services) ?? []);
  if (record === undefined || lines.length === 0) return '';
  const { counts, startedAt, completedAt } = record;
  const end = `in ${formatSeconds(completedAt - startedAt)}, ${counts.cached} of ${counts.total} steps cached\n`;
  const [first] = made;
  if (lines.length > 1 || first === undefined) return `${lines.join('\n')}\n${lines.length} images ${end}`;
  const next = nextCommand(nameOf(first.result) ?? shortId(first.result), first.outputs);
  return `${lines.join('')}, ${end}${next === undefined ? '' : `Next: ${next}\n`}`;
}

function imageLine({ target = '', result }: MadeImage, record: BuildRecord, ports: Ports): string | undefined {
  if (result.manifest === undefined) return undefined;
  const size = sizeText(result.manifest, { record, target }, ports);
  const name = nameOf(result) ?? 'an image without a name';
  return `Built ${name} (${shortId(result)})${size === undefined ? '' : `, ${size}`}`;
}

function nameOf({ names: [first] }: BuildResult): string | undefined {
  return first === undefined ? undefined : familiarReference(parseReference(first));
}

function shortId({ id }: BuildResult): string {
  return hexOf(id).slice(0, 12);
}

interface Place {
  readonly record: BuildRecord;
  readonly target: string;
}

/** `42.1MB (1.2MB more than before)`: the layers as they are stored. */
function sizeText(manifest: Descriptor, place: Place, ports: Ports): string | undefined {
  const size = storedSize(manifest, ports);
  if (size === undefined) return undefined;
  const before = sizeBefore(place, ports);
  if (before === undefined || before === size) return formatBytes(size);
  return `${formatBytes(size)} (${formatBytes(Math.abs(size - before))} ${size > before ? 'more' : 'less'} than before)`;
}

function sizeBefore({ record: { id, name }, target }: Place, ports: Ports): number | undefined {
  for (const earlier of listBuilds(ports.store)) {
    if (earlier.id === id || earlier.name !== name || earlier.status !== 'completed') continue;
    const { manifest }: Partial<BuildResult> = Object(earlier.results[target]);
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
