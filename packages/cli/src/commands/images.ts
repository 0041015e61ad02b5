import { listImages } from '@tbuild/builder';
import { familiarRepository, hexOf } from '@tbuild/oci';
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
    const worker = createWorker({ root: storeRoot(given.root, env), insecureRegistries: [] }, env);
    if (wantsJson(given.format)) {
      env.stdout.write(jsonLines(listImages(worker).map((ref) => describe(ref, worker.now()))));
      return 0;
    }
    const rows = listImages(worker).map(({ reference, image }) => {
      const { digest } = image.manifest.config;
      const size = image.manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
      return {
        id: given['no-trunc'] === true ? digest : hexOf(digest).slice(0, 12),
        cells: [familiarRepository(reference), reference.tag ?? '<none>'],
        rest: [formatAge(image.config.created, worker.now()), formatBytes(size)],
      };
    });
    if (given.quiet === true) env.stdout.write([...new Set(rows.map(({ id }) => `${id}\n`))].join(''));
    else env.stdout.write(formatTable(['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'], rows.map(({ id, cells, rest }) => [...cells, id, ...rest])));
    return 0;
  },
};

/** With the names that Docker's `--format json` has. */
function describe({ reference, target, image: { manifest, config } }: ReturnType<typeof listImages>[number], now: number): object {
  return {
    Repository: familiarRepository(reference),
    Tag: reference.tag ?? '<none>',
    ID: manifest.config.digest,
    Digest: target.digest,
    CreatedAt: config.created ?? 'N/A',
    CreatedSince: formatAge(config.created, now),
    Size: formatBytes(manifest.layers.reduce((sum, layer) => sum + layer.size, 0)),
  };
}
