// Makes everything that is published, in `release/`: npm packages, archives, Debian packages, images, and documents.
//   npm run release [-- [--to DIRECTORY] [--only npm,archive,deb,image] [--arch amd64,arm64] [OPTIONS OF THE IMAGE'S BUILD]]
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { pack } from '../../pack.mjs';
import { makeArchive } from './archive.mjs';
import { makeDebianPackage } from './debian-package.mjs';
import { writeDocuments } from './documents.mjs';
import { makeImages } from './image.mjs';
import { root, withDirectory } from './inputs.mjs';
import { writeProgramTree } from './program-tree.mjs';

const { values } = parseArgs({
  options: {
    to: { type: 'string', default: join(root, 'release') },
    only: { type: 'string', default: 'npm,archive,deb,image' },
    arch: { type: 'string', default: 'amd64,arm64' },
    'build-context': { type: 'string', multiple: true, default: [] },
  },
});
const destination = resolve(values.to);
const wanted = new Set(values.only.split(','));

rmSync(destination, { recursive: true, force: true });
mkdirSync(destination, { recursive: true });
const files = wanted.has('npm') ? await pack(destination) : [];
const packages = [];
for (const architecture of values.arch.split(',')) {
  await withDirectory(async (directory) => {
    const tree = { lib: join(directory, 'lib'), share: join(directory, 'share') };
    await writeProgramTree(architecture, tree);
    if (wanted.has('archive')) files.push(await makeArchive(architecture, tree, destination));
    if (wanted.has('deb') || wanted.has('image'))
      packages.push({ architecture, file: await makeDebianPackage(architecture, tree, destination) });
  });
}
files.push(...packages.map(({ file }) => file));
if (wanted.has('image')) {
  const options = values['build-context'].flatMap((one) => ['--build-context', one]);
  files.push(...(await makeImages(packages, destination, options)));
}
writeDocuments(files, destination);
