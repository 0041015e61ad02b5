import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeExecutable } from './executable.mjs';
import { architectures, capture, fetchPackage, koffiPackage, nodePackage, root } from './inputs.mjs';

const program = join(root, 'packages/cli/bin/tbuild');

/**
 * Writes what every form of the program for an architecture holds: below `lib` the launcher, the executable and the
 * parts that are loaded on demand; below `share` manual pages and completions of shells.
 */
export async function writeProgramTree(architecture, { lib, share }) {
  for (const name of ['bin', 'dist']) cpSync(join(root, 'packages/cli', name), join(lib, name), { recursive: true });
  const node = architectures[architecture];
  const library = `linux_${node}/koffi.node`;
  const koffi = join(lib, 'node_modules/@koromix', `koffi-linux-${node}`);
  mkdirSync(dirname(join(koffi, library)), { recursive: true });
  cpSync(join(fetchPackage(koffiPackage(architecture)), library), join(koffi, library));
  mkdirSync(join(lib, 'libexec'));
  await makeExecutable(architecture, join(lib, 'libexec/tbuild'));
  writeManual(join(share, 'man/man1'));
  writeCompletions(share);
}

function writeManual(directory) {
  mkdirSync(directory, { recursive: true });
  capture(program, ['__man', directory]);
}

const COMPLETIONS = {
  bash: 'bash-completion/completions/tbuild',
  zsh: 'zsh/vendor-completions/_tbuild',
  fish: 'fish/vendor_completions.d/tbuild.fish',
};

function writeCompletions(share) {
  for (const [shell, path] of Object.entries(COMPLETIONS)) {
    const file = join(share, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${capture(program, ['completion', shell])}\n`);
  }
}

/** Writes the licences of everything that the executable holds. */
export function writeLicences(architecture, directory) {
  mkdirSync(directory, { recursive: true });
  cpSync(join(root, 'LICENSE'), join(directory, 'LICENSE'));
  cpSync(join(fetchPackage(nodePackage(architecture)), 'LICENSE'), join(directory, 'LICENSE.node'));
  cpSync(join(root, 'node_modules/koffi/LICENSE.txt'), join(directory, 'LICENSE.koffi'));
}
