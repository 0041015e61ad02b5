import { findImage, layerSize } from '@tbuild/builder';
import { hexOf } from '@tbuild/oci';
import { formatBytes } from '@tbuild/tui';
import { formatFlags, jsonLines, storeCommand, wantsJson } from '../store-command.ts';
import { formatAge, formatTable } from '../table.ts';

export const history = storeCommand({
  summary: 'Show how an image was made, step by step',
  usage: 'history [OPTIONS] IMAGE',
  flags: {
    quiet: { kind: 'switch', short: 'q', help: 'Print only IDs' },
    'no-trunc': { kind: 'switch', help: 'Print whole commands' },
    ...formatFlags,
  },
  takes: [1, 1],
  async run({ flags, words: [name = ''], worker, env, signal }) {
    const whole = flags['no-trunc'] === true;
    const { image } = findImage(name, worker);
    const { digest } = image.manifest.config;
    const layers = [...image.manifest.layers];
    const entries = [];
    for (const entry of image.config.history) {
      const layer = entry.empty_layer === true ? undefined : layers.shift();
      const size = layer === undefined ? 0 : await layerSize(layer, worker, signal);
      const { created = '', created_by: command = '', comment = '' } = entry;
      entries.unshift({
        ID: '<missing>',
        CreatedAt: created,
        CreatedSince: formatAge(entry.created, worker.now()),
        CreatedBy: whole || command.length <= 45 ? command : `${command.slice(0, 44)}…`,
        Size: formatBytes(size),
        Comment: comment,
      });
    }
    const [newest] = entries;
    if (newest !== undefined) newest.ID = whole ? digest : hexOf(digest).slice(0, 12);
    if (flags.quiet === true) env.stdout.write(entries.map(({ ID }) => `${ID}\n`).join(''));
    else if (wantsJson(flags.format)) env.stdout.write(jsonLines(entries));
    else
      env.stdout.write(
        formatTable(
          ['IMAGE', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT'],
          entries.map((one) => [one.ID, one.CreatedSince, one.CreatedBy, one.Size, one.Comment]),
        ),
      );
  },
});
