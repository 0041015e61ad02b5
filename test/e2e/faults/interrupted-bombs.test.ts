import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { processesNaming } from '../../support/leftovers.ts';
import { patiently } from '../../support/patience.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { storeSize } from '../../support/store-size.ts';
import { buildContext, runTbuild, writeFiles } from '../../support/tbuild.ts';
import { tarOf } from '../../support/write-tar.ts';

/** Returns an archive with a file of 8 GB, in pieces that each are compressed alone. */
function bomb(program: string): Buffer {
  const compressed = (input: Buffer): Buffer => execFileSync(program, ['-c'], { input });
  const [pieces, size] = [1024, 8 << 20];
  const header = tarOf([{ name: 'zeros', pax: { size: String(pieces * size) } }]).subarray(0, -1024);
  const piece = compressed(Buffer.alloc(size));
  return Buffer.concat([compressed(header), ...Array.from({ length: pieces }, () => piece)]);
}

/** Returns the files of a layout with an image of one layer. */
function layout(layer: Buffer, compression: string): Record<string, string | Buffer> {
  const files: Record<string, string | Buffer> = { 'oci-layout': '{"imageLayoutVersion":"1.0.0"}' };
  const add = (mediaType: string, data: string | Buffer) => {
    const hex = createHash('sha256').update(data).digest('hex');
    files[`blobs/sha256/${hex}`] = data;
    return { mediaType: `application/vnd.oci.image.${mediaType}`, digest: `sha256:${hex}`, size: data.length };
  };
  const content = add(`layer.v1.tar+${compression}`, layer);
  const rootfs = { type: 'layers', diff_ids: [`sha256:${'0'.repeat(64)}`] };
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const config = add('config.v1+json', JSON.stringify({ os: 'linux', architecture, rootfs }));
  const manifest = add('manifest.v1+json', JSON.stringify({ schemaVersion: 2, config, layers: [content] }));
  files['index.json'] = JSON.stringify({ schemaVersion: 2, manifests: [manifest] });
  return files;
}

/** Interrupts a build in the middle of the file of a bomb. */
async function interrupt(directory: string, args: readonly string[], store: string) {
  const isUnpacking = (): boolean => {
    try {
      const names = readdirSync(join(store, 'snapshots/.active'), { recursive: true });
      return names.some((name) => String(name).endsWith('/zeros'));
    } catch {
      // Directories come and go.
      return false;
    }
  };
  return await buildContext(directory, {
    args,
    store,
    onStart: (child) => void eventually(isUnpacking).then(() => child.kill('SIGINT')),
  });
}

test.each([
  ['ADD', 'gzip'],
  ['ADD', 'zstd'],
  ['ADD', 'xz'],
  ['ADD', 'bzip2'],
  ['FROM', 'gzip'],
  ['FROM', 'zstd'],
])(
  'an interrupted %s of 8 GB in %s ends at once and leaves nothing',
  needs('zstd', 'xz', 'bzip2'),
  async (word, program) => {
    const isAdd = word === 'ADD';
    const instruction = isAdd ? 'FROM scratch\nADD bomb /' : 'FROM base\nCOPY Dockerfile /';
    const files = isAdd ? { bomb: bomb(program) } : layout(bomb(program), program);
    const directory = writeFiles({ ...files, Dockerfile: `${instruction}\n` });
    const args = isAdd ? [] : ['--build-context', `base=oci-layout://${directory}`];
    const store = scratchDirectory('store');
    const { exitCode, stderr } = await interrupt(directory, args, store);
    expect(exitCode, stderr).toBe(130);
    await vi.waitFor(() => expect(processesNaming(directory)).toEqual([]), patiently);
    expect(await storeSize(store)).toBeLessThan(1_000_000);
    expect(await runTbuild(['fsck'], { store })).toMatchObject({ exitCode: 0 });
  },
);
