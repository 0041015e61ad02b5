import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, sourceDateEpoch, version, withDirectory } from './inputs.mjs';
import { writeLicences } from './program-tree.mjs';

/** Writes `tbuild-VERSION-linux-ARCH.tar.gz`: one directory, from which the program runs wherever it is unpacked. */
export function makeArchive(architecture, { lib, share }, destination) {
  return withDirectory((directory) => {
    const name = `tbuild-${version}-linux-${architecture}`;
    const top = join(directory, name);
    cpSync(lib, top, { recursive: true });
    cpSync(share, join(top, 'share'), { recursive: true });
    writeLicences(architecture, join(top, 'licences'));
    cpSync(join(root, 'README.md'), join(top, 'README.md'));
    const file = join(destination, `${name}.tar.gz`);
    const same = ['--sort=name', `--mtime=@${sourceDateEpoch()}`, '--owner=0', '--group=0', '--numeric-owner'];
    const mode = '--mode=u+rwX,go+rX,go-w';
    run('tar', [...same, mode, '--format=gnu', '--use-compress-program=gzip -n', '-cf', file, name], {
      cwd: directory,
    });
    return file;
  });
}
