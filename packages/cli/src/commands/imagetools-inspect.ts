import { formatPlatform, formatReference, isIndex, parseManifest, parseReference, type Descriptor } from '@tbuild/oci';
import { registryFlags } from '../registry-flags.ts';
import { formatFlags, storeCommand, wantsJson } from '../store-command.ts';

export const inspect = storeCommand({
  summary: 'Show what a name stands for in its registry',
  usage: 'imagetools inspect [OPTIONS] NAME',
  flags: { raw: { kind: 'switch', help: 'Print the document as it is' }, ...formatFlags, ...registryFlags },
  takes: [1, 1],
  async run({ flags, words: [name = ''], worker, env, signal }) {
    const reference = parseReference(name);
    const repository = await worker.openRepository(reference);
    const root = await repository.resolve(reference.digest ?? reference.tag ?? 'latest', signal);
    const bytes = Buffer.from(await repository.readManifest(root, signal));
    if (flags.raw === true) {
      env.stdout.write(bytes);
      return;
    }
    const document = parseManifest(bytes, root.mediaType);
    if (wantsJson(flags.format)) {
      env.stdout.write(
        `${JSON.stringify({ name: formatReference(reference), manifest: { ...document, ...root } }, null, 2)}\n`,
      );
      return;
    }
    const lines = [
      `Name:      ${formatReference(reference)}`,
      `MediaType: ${root.mediaType}`,
      `Digest:    ${root.digest}`,
    ];
    const parts = isIndex(document)
      ? document.manifests.flatMap((manifest) => [
          '',
          ...describe(manifest, formatReference({ ...reference, tag: undefined, digest: manifest.digest })),
        ])
      : [];
    env.stdout.write([...lines, ...(isIndex(document) ? ['', 'Manifests:'] : []), ...parts, ''].join('\n'));
  },
});

function describe({ mediaType, platform, annotations = {} }: Descriptor, name: string): string[] {
  return [
    `  Name:        ${name}`,
    `  MediaType:   ${mediaType}`,
    ...(platform === undefined ? [] : [`  Platform:    ${formatPlatform(platform)}`]),
    ...Object.entries(annotations).map(
      ([key, value], at) => `  ${at === 0 ? 'Annotations: ' : '             '}${key}: ${value}`,
    ),
  ];
}
