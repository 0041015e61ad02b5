import type { Services } from '@tbuild/builder';
import { lazily } from '@tbuild/concurrency';
import { TbuildError } from '@tbuild/errors';
import { GoNil } from '@tbuild/go-template';
import { findImage, imageSize, listImages, type FoundImage, type ListedImage } from '@tbuild/images';
import { familiarReference, familiarRepository, type RuntimeConfig } from '@tbuild/oci';
import { formatDocument, formatFlags } from '../../print/format-output.ts';
import { htmlFlag } from '../../report/html-flag.ts';
import { writeImagePage } from '../../report/image-page.ts';
import { storeCommand } from '../store-command.ts';
import { eachImage } from './each-image.ts';

export const inspect = storeCommand({
  summary: 'Show everything about images, as JSON',
  usage: 'inspect [OPTIONS] IMAGE...',
  flags: {
    format: { ...formatFlags.format, short: 'f', help: 'Print as "json", or with a Go template such as \'{{.Id}}\'' },
    html: htmlFlag,
    type: { kind: 'text', value: 'image', help: 'No effect: there are only images' },
  },
  takes: [1, Infinity],
  async run({ flags, words, services, env, signal }) {
    const { format, html, type = 'image' } = flags;
    if (type !== 'image') throw new TbuildError('USAGE', `Invalid --type ${JSON.stringify(type)}: expected image`);
    if (html !== undefined)
      return writeImagePage({ title: words.join(', '), names: words }, html, { services, env, signal });
    const documents: object[] = [];
    const list = lazily(() => listImages(services));
    try {
      await eachImage(words, async (word) => {
        const document = await describe(findImage(word, services, list), list(), services);
        documents.push(document);
        if (format !== undefined) env.stdout.write(formatDocument(format, document));
      });
    } finally {
      if (format === undefined) env.stdout.write(`${JSON.stringify(documents, null, 4)}\n`);
    }
  },
});

/** Returns the document of `docker image inspect`. */
async function describe(
  found: FoundImage,
  listed: readonly ListedImage[],
  services: Services,
): Promise<Readonly<Record<string, unknown>>> {
  const {
    target,
    image: { manifest, config },
  } = found;
  const id = manifest.config.digest;
  const names = listed.flatMap(({ reference, ...one }) =>
    reference !== undefined && one.image.manifest.config.digest === id
      ? [{ reference, digest: one.target.digest }]
      : [],
  );
  const { platform } = config;
  return {
    Id: id,
    RepoTags: names
      .filter(({ reference }) => reference.tag !== undefined)
      .map(({ reference }) => familiarReference(reference)),
    RepoDigests: [...new Set(names.map(({ reference, digest }) => `${familiarRepository(reference)}@${digest}`))],
    Comment: config.history.at(-1)?.comment ?? '',
    // Go omits zeros at the end of a fraction.
    Created: (config.created ?? '').replace(/(?:(\.\d*[1-9])0+|\.0+)(?=Z$)/, '$1'),
    Author: config.author ?? '',
    Config: describeConfig(config.config),
    Architecture: platform.architecture,
    Variant: platform.variant ?? absent,
    Os: platform.os,
    Size: await imageSize(manifest.layers, services),
    RootFS: { Type: 'layers', Layers: config.diffIds },
    Descriptor: { mediaType: target.mediaType, digest: target.digest, size: target.size },
    Annotations: manifest.annotations ?? absent,
  };
}

const absent = new GoNil('');

/** Adds Go's values for lists and maps that do not exist. */
function describeConfig(config: RuntimeConfig): object {
  const [list, map] = [new GoNil('[]'), new GoNil('map[]')];
  return {
    User: '',
    Env: list,
    Cmd: list,
    Volumes: map,
    WorkingDir: '',
    Entrypoint: list,
    OnBuild: list,
    Labels: map,
    ...config,
    ...(config.Labels === undefined ? {} : { Labels: sorted(config.Labels) }),
  };
}

/** Sorts maps by their keys, as Go prints them. */
function sorted<T>(map: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}
