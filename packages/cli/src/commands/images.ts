import { imageSize, listImages } from '@tbuild/builder';
import { familiarRepository, hexOf, type Digest } from '@tbuild/oci';
import { formatBytes } from '@tbuild/tui';
import { describeFlags, parseArgs, type Flags } from '../args.ts';
import { createWorker } from '../create-worker.ts';
import { formatFlags, jsonLines, wantsJson } from '../store-command.ts';
import { storeFlags } from '../store-flags.ts';
import { storeRoot } from '../store-root.ts';
import { formatAge, formatTable } from '../table.ts';
import type { Command } from './command.ts';

const flags = {
  quiet: { kind: 'switch', short: 'q', help: 'Print only the image IDs' },
  'no-trunc': { kind: 'switch', help: 'Print whole IDs' },
  ...formatFlags,
  ...storeFlags,
} as const satisfies Flags;

export const images: Command = {
  summary: 'List the images of the store',
  async run(argv, env) {
    const { flags: given } = parseArgs(argv, flags);
    if (given.help === true) {
      env.stdout.write(`Usage: tbuild images [OPTIONS]\n\nList the images of the store.\n\n${describeFlags(flags)}\n`);
      return 0;
    }
    const worker = createWorker({ root: storeRoot(given.root, env) }, env);
    const listed = listImages(worker);
    const idOf = (digest: Digest): string => (given['no-trunc'] === true ? digest : hexOf(digest).slice(0, 12));
    if (given.quiet === true) {
      env.stdout.write([...new Set(listed.map(({ image }) => `${idOf(image.manifest.config.digest)}\n`))].join(''));
      return 0;
    }
    const described: Description[] = [];
    for (const ref of listed)
      described.push(describe(ref, formatBytes(await imageSize(ref.image.manifest.layers, worker)), worker.now()));
    if (wantsJson(given.format)) env.stdout.write(jsonLines(described));
    else
      env.stdout.write(
        formatTable(
          HEADINGS,
          described.map((one) => [one.Repository, one.Tag, idOf(one.ID), one.CreatedSince, one.Size]),
        ),
      );
    return 0;
  },
};

const HEADINGS = ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'];

type Description = ReturnType<typeof describe>;

/** With the names that Docker's `--format json` has. */
function describe(
  { reference, target, image: { manifest, config } }: ReturnType<typeof listImages>[number],
  size: string,
  now: number,
) {
  return {
    Repository: familiarRepository(reference),
    Tag: reference.tag ?? '<none>',
    ID: manifest.config.digest,
    Digest: target.digest,
    CreatedAt: config.created ?? 'N/A',
    CreatedSince: formatAge(config.created, now),
    Size: size,
  };
}
