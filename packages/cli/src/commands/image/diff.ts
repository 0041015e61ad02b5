import { visibleLine } from '@tbuild/errors';
import { compareImages, compareTopLayer, findImage, type FileChange } from '@tbuild/images';
import { formatBytes } from '@tbuild/tui';
import { formatFlags, formatRows } from '../../print/format-output.ts';
import { htmlFlag } from '../../report/html-flag.ts';
import { writeImagePage } from '../../report/image-page.ts';
import { storeCommand } from '../store-command.ts';

export const diff = storeCommand({
  summary: 'Show the files that an image adds, changes and deletes: compared to another, or in its last layer',
  usage: 'diff [OPTIONS] IMAGE [IMAGE]',
  flags: { ...formatFlags, html: htmlFlag },
  takes: [1, 2],
  async run({ flags, words, services, env, signal }) {
    const [name = '', other] = words;
    const { image } = findImage(name, services);
    const changes =
      other === undefined
        ? await compareTopLayer(image, services.content, signal)
        : await compareImages([image, findImage(other, services).image], services.content, signal);
    if (flags.html !== undefined) {
      const rows = changes.map(({ kind, path, bytes }) => [KINDS[kind], path, String(bytes)]);
      const tables = [{ title: 'Changes', columns: ['Change', 'Path', 'Bytes'], rows }];
      const page = { title: words.join(' → '), names: words, tables };
      return writeImagePage(page, flags.html, { services, env, signal });
    }
    env.stdout.write(
      flags.format === undefined
        ? changes.map(line).join('')
        : formatRows(flags.format, changes.map(row), { headings: HEADINGS, columns: ['kind', 'path', 'bytes'] }),
    );
  },
});

const KINDS = { A: 'added', C: 'changed', D: 'deleted' } as const;

const HEADINGS = { kind: 'CHANGE', path: 'PATH', bytes: 'BYTES' };

function row({ kind, path, bytes }: FileChange) {
  return { kind, path, bytes };
}

/** Returns lines like those of `docker diff`, with the difference in bytes. */
function line({ kind, path, bytes }: FileChange): string {
  const size = bytes === 0 ? '' : `  ${bytes < 0 ? '-' : '+'}${formatBytes(Math.abs(bytes))}`;
  return `${kind} ${visibleLine(path)}${size}\n`;
}
