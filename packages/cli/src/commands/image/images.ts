import { imageSize, listImages } from '@tbuild/images';
import { familiarRepository, hexOf, type Digest } from '@tbuild/oci';
import { formatBytes } from '@tbuild/tui';
import { formatFlags, formatRows } from '../../print/format-output.ts';
import { formatAge } from '../../print/table.ts';
import { storeCommand } from '../store-command.ts';
import { createdAt, imageFilter } from './image-filter.ts';

export const images = storeCommand({
  summary: 'List the images of the store, newest first',
  usage: 'images [OPTIONS] [NAME[:TAG]]',
  flags: {
    all: { kind: 'switch', short: 'a', help: 'No effect: the store has no intermediate images' },
    digests: { kind: 'switch', help: 'Show digests' },
    filter: {
      kind: 'list',
      short: 'f',
      value: 'FILTER',
      help: 'Show only images with reference=PATTERN, label=NAME[=VALUE], before=IMAGE, since=IMAGE, dangling=true|false',
    },
    'no-trunc': { kind: 'switch', help: 'Print whole IDs' },
    quiet: { kind: 'switch', short: 'q', help: 'Print only the image IDs' },
    ...formatFlags,
  },
  takes: [0, 1],
  async run({ flags, words, services, env }) {
    const keeps = imageFilter(flags.filter ?? [], words, services);
    const listed = listImages(services)
      .filter(keeps)
      .sort((a, b) => createdAt(b.image) - createdAt(a.image));
    const idOf = (digest: Digest): string => (flags['no-trunc'] === true ? digest : hexOf(digest).slice(0, 12));
    if (flags.quiet === true && flags.format === undefined) {
      env.stdout.write([...new Set(listed.map(({ image }) => `${idOf(image.manifest.config.digest)}\n`))].join(''));
      return;
    }
    const rows = [];
    for (const { reference, target, image } of listed) {
      const size = formatBytes(await imageSize(image.manifest.layers, services));
      const { created } = image.config;
      rows.push({
        Repository: reference === undefined ? '<none>' : familiarRepository(reference),
        Tag: reference?.tag ?? '<none>',
        Digest: target.digest,
        ID: idOf(image.manifest.config.digest),
        CreatedSince: formatAge(created, services.now()),
        CreatedAt: created === undefined ? 'N/A' : goTime(created),
        Size: size,
        VirtualSize: size,
        SharedSize: 'N/A',
        UniqueSize: 'N/A',
        Containers: 'N/A',
      });
    }
    const columns = COLUMNS.filter((name) => name !== 'Digest' || flags.digests === true);
    env.stdout.write(formatRows(flags.format, rows, { headings: HEADINGS, columns }));
  },
});

const HEADINGS = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  ID: 'IMAGE ID',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  VirtualSize: 'SIZE',
  SharedSize: 'SHARED SIZE',
  UniqueSize: 'UNIQUE SIZE',
  Containers: 'CONTAINERS',
};

const COLUMNS = ['Repository', 'Tag', 'Digest', 'ID', 'CreatedSince', 'Size'] as const;

/** Formats a time as Go does. */
function goTime(created: string): string {
  const time = new Date(created);
  if (Number.isNaN(time.getTime())) return created;
  return time.toISOString().replace(/^(.*)T(.*)\.\d+Z$/, '$1 $2 +0000 UTC');
}
