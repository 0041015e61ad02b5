import { visibleLine } from '@tbuild/errors';
import {
  formatPlace,
  parsePlace,
  readPlace,
  readRemoteImages,
  type ImagePlace,
  type PlacedDocument,
  type RemoteImage,
} from '@tbuild/images';
import { formatPlatform, isIndex, type Descriptor, type Digest } from '@tbuild/oci';
import { registryFlags } from '../../flags/registry-flags.ts';
import { formatDocument, formatFlags } from '../../print/format-output.ts';
import { storeCommand } from '../store-command.ts';

export const inspect = storeCommand({
  summary: 'Show the image or index that a name refers to in its registry',
  usage: 'imagetools inspect [OPTIONS] NAME',
  flags: {
    format: {
      ...formatFlags.format,
      help: 'Print as "json", or with a Go template of .Name, .Manifest, .Image, .SBOM and .Provenance',
    },
    raw: { kind: 'switch', help: 'Print the unchanged document' },
    ...registryFlags,
  },
  takes: [1, 1],
  async run({ flags: { raw, format }, words: [name = ''], services, env, signal }) {
    const place = parsePlace(name, env.cwd);
    const remote = await readPlace(place, services, signal);
    if (raw === true) env.stdout.write(remote.bytes);
    else if (format === undefined) env.stdout.write(asText(remote, place));
    else if (format === 'json') {
      const manifest = { ...remote.document, ...remote.root };
      env.stdout.write(`${JSON.stringify({ name: formatPlace(place), manifest }, null, 2)}\n`);
    } else {
      const wantsImages = /\.(?:Image|SBOM|Provenance)\b|\{\{-?\s*(?:json\s+)?\.\s*-?\}\}/.test(format);
      const images = wantsImages ? await readRemoteImages(remote, signal) : [];
      env.stdout.write(formatDocument(format, { Name: formatPlace(place), ...describe(remote, images) }));
    }
  },
});

/** Returns the values for templates, as with buildx: those of an index by platform, those of a single image without. */
function describe({ root, document }: PlacedDocument, images: readonly RemoteImage[]) {
  const byPlatform = <T>(of: (image: RemoteImage) => T): unknown => {
    const [only] = images;
    if (images.length === 1 && only !== undefined) return of(only);
    return Object.fromEntries(images.map((image) => [image.platform, of(image)]));
  };
  return {
    Manifest: isIndex(document) ? { ...document, ...root } : root,
    Image: byPlatform(({ config }) => config),
    Provenance: byPlatform(({ statements }) => predicates(statements, 'https://slsa.dev/provenance/', 'SLSA')),
    SBOM: byPlatform(({ statements }) => predicates(statements, 'https://spdx.dev/Document', 'SPDX')),
  };
}

/** Returns the predicates of a type. The first one counts; further ones, such as that of a stage, stand beside it. */
function predicates(statements: RemoteImage['statements'], type: string, name: 'SLSA' | 'SPDX'): object {
  const [first, ...more] = statements.flatMap(({ predicateType, predicate }) =>
    predicateType.startsWith(type) ? [predicate] : [],
  );
  return first === undefined ? {} : { [name]: first, ...(more.length === 0 ? {} : { [`Additional${name}s`]: more }) };
}

function asText({ root, document }: PlacedDocument, place: ImagePlace): string {
  const head = [`Name:      ${formatPlace(place)}`, `MediaType: ${root.mediaType}`, `Digest:    ${root.digest}`];
  const parts = isIndex(document)
    ? document.manifests.flatMap((manifest) => [
        '',
        ...describeEntry(manifest, formatPlace(at(place, manifest.digest))),
      ])
    : [];
  const lines = [...head, ...(isIndex(document) ? ['', 'Manifests:'] : []), ...parts, ''];
  return lines.map(visibleLine).join('\n');
}

/** Returns where an image of an index is. */
function at(place: ImagePlace, digest: Digest): ImagePlace {
  if (place.kind === 'layout') return { ...place, name: digest };
  return { ...place, reference: { ...place.reference, tag: undefined, digest } };
}

function describeEntry({ mediaType, platform, annotations = {} }: Descriptor, name: string): string[] {
  return [
    `  Name:        ${name}`,
    `  MediaType:   ${mediaType}`,
    ...(platform === undefined ? [] : [`  Platform:    ${formatPlatform(platform)}`]),
    ...Object.entries(annotations).map(
      ([key, value], at) => `  ${at === 0 ? 'Annotations: ' : '             '}${key}: ${value}`,
    ),
  ];
}
