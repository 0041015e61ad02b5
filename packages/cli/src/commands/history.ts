import { findImage } from '@tbuild/builder';
import { measureLayer } from '@tbuild/diff';
import { TbuildError } from '@tbuild/errors';
import { hexOf } from '@tbuild/oci';
import { formatBytes } from '@tbuild/tui';
import { describeFlags, parseArgs, type Flags } from '../args.ts';
import { createWorker } from '../create-worker.ts';
import { storeFlags } from '../store-flags.ts';
import { storeRoot } from '../store-root.ts';
import { formatAge, formatTable } from '../table.ts';
import type { Command } from './command.ts';

const flags = {
  quiet: { kind: 'switch', short: 'q', help: 'Print only IDs' },
  'no-trunc': { kind: 'switch', help: 'Print whole commands' },
  ...storeFlags,
} as const satisfies Flags;

export const history: Command = {
  summary: 'Show how an image was made, step by step',
  async run(argv, env) {
    const { flags: given, positional } = parseArgs(argv, flags);
    if (given.help === true) {
      env.stdout.write(`Usage: tbuild history [OPTIONS] IMAGE\n\nShow how an image was made, newest step first.\n\n${describeFlags(flags)}\n`);
      return 0;
    }
    const [name] = positional;
    if (name === undefined || positional.length > 1) throw new TbuildError('USAGE', 'tbuild history takes one image');
    const worker = createWorker({ root: storeRoot(given.root, env), insecureRegistries: [] }, env);
    const { image } = findImage(name, worker);
    const layers = [...image.manifest.layers];
    const rows: string[][] = [];
    for (const entry of image.config.history) {
      const layer = entry.empty_layer === true ? undefined : layers.shift();
      const size = layer === undefined ? 0 : await measureLayer(layer, worker.content);
      const command = entry.created_by ?? '';
      const shown = given['no-trunc'] === true || command.length <= 45 ? command : `${command.slice(0, 44)}…`;
      rows.unshift(['<missing>', formatAge(entry.created, worker.now()), shown, formatBytes(size), entry.comment ?? '']);
    }
    const { digest } = image.manifest.config;
    if (rows[0] !== undefined) rows[0][0] = given['no-trunc'] === true ? digest : hexOf(digest).slice(0, 12);
    if (given.quiet === true) env.stdout.write(rows.map(([id]) => `${id}\n`).join(''));
    else env.stdout.write(formatTable(['IMAGE', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT'], rows));
    return 0;
  },
};
