import { findImage, layerSize } from '@tbuild/images';
import { hexOf } from '@tbuild/oci';
import { formatBytes } from '@tbuild/tui';
import { formatFlags, formatRows } from '../../print/format-output.ts';
import { formatAge } from '../../print/table.ts';
import { storeCommand } from '../store-command.ts';

export const history = storeCommand({
  summary: 'Show how an image was made, step by step',
  usage: 'history [OPTIONS] IMAGE',
  flags: {
    human: { kind: 'switch', short: 'H', help: 'Print readable sizes and times (default: true)' },
    'no-trunc': { kind: 'switch', help: 'Print whole commands' },
    quiet: { kind: 'switch', short: 'q', help: 'Print only IDs' },
    ...formatFlags,
  },
  takes: [1, 1],
  async run({ flags, words: [name = ''], services, env, signal }) {
    const whole = flags['no-trunc'] === true;
    const human = flags.human !== false;
    const { image } = findImage(name, services);
    const { digest } = image.manifest.config;
    const layers = [...image.manifest.layers];
    const rows = [];
    for (const entry of image.config.history) {
      const layer = entry.empty_layer === true ? undefined : layers.shift();
      const size = layer === undefined ? 0 : await layerSize(layer, services, signal);
      const { created = '', created_by: command = '', comment = '' } = entry;
      const time = created.replace(/\.\d+(?=Z$)/, '');
      rows.unshift({
        ID: '<missing>',
        CreatedAt: time,
        CreatedSince: human ? formatAge(entry.created, services.now()) : time,
        CreatedBy: whole || command.length <= 45 ? command : `${command.slice(0, 44)}…`,
        Size: human ? formatBytes(size) : String(size),
        Comment: comment,
      });
    }
    const [newest] = rows;
    if (newest !== undefined) newest.ID = whole ? digest : hexOf(digest).slice(0, 12);
    env.stdout.write(
      flags.quiet === true
        ? rows.map(({ ID }) => `${ID}\n`).join('')
        : formatRows(flags.format, rows, {
            headings: { ...HEADINGS, CreatedSince: human ? 'CREATED' : 'CREATED AT' },
            columns: ['ID', 'CreatedSince', 'CreatedBy', 'Size', 'Comment'],
          }),
    );
  },
});

const HEADINGS = { ID: 'IMAGE', CreatedAt: 'CREATED AT', CreatedBy: 'CREATED BY', Size: 'SIZE', Comment: 'COMMENT' };
