import { createHash } from 'node:crypto';
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { manifestOf, root, run, sourceDateEpoch, version, withDirectory } from './inputs.mjs';

const MAINTAINER = 'tbuild developers <developers@tbuild.example>';

/** Exceptions from Debian's rules, each with its reason. */
const OVERRIDES = `# The executable is Node's own binary with the program in it: stripping it would drop the program, and Node
# brings the libraries it was tested with.
tbuild: unstripped-binary-or-object [usr/lib/tbuild/libexec/tbuild]
tbuild: embedded-library *
tbuild: hardening-no-fortify-functions [usr/lib/tbuild/libexec/tbuild]
tbuild: hardening-no-bindnow *
tbuild: hardening-no-pie *
# It loads koffi's native library, which the npm package koffi brings, as a file.
tbuild: shared-library-lacks-prerequisites *
tbuild: library-not-linked-against-libc *
# It is not in Debian, so no bug of Debian asks for it.
tbuild: initial-upload-closes-no-bugs *
# The domain of examples: there is no address for mail yet.
tbuild: bogus-mail-host *
`;

/** Writes `tbuild_VERSION_ARCH.deb`. */
export function makeDebianPackage(architecture, tree, destination) {
  return withDirectory((directory) => {
    const usr = join(directory, 'usr');
    cpSync(tree.lib, join(usr, 'lib/tbuild'), { recursive: true });
    cpSync(tree.share, join(usr, 'share'), { recursive: true });
    mkdirSync(join(usr, 'bin'));
    symlinkSync('../lib/tbuild/bin/tbuild', join(usr, 'bin/tbuild'));
    compressManual(join(usr, 'share/man/man1'));
    writeDocuments(join(usr, 'share/doc/tbuild'));
    writeText(join(usr, 'share/lintian/overrides/tbuild'), OVERRIDES);
    writeText(join(directory, 'DEBIAN/control'), control(architecture, sizeOf(usr)));
    writeText(join(directory, 'DEBIAN/md5sums'), sumsOf(usr, directory));
    run('chmod', ['-R', 'u+rwX,go+rX,go-w', directory]);
    const file = join(destination, `tbuild_${version}_${architecture}.deb`);
    const options = ['--root-owner-group', '-Zxz', '-z1', '--threads-max=2', '--build', directory, file];
    run('dpkg-deb', options, {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(sourceDateEpoch()) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return file;
  });
}

function control(architecture, size) {
  return `Package: tbuild
Version: ${version}
Architecture: ${architecture}
Maintainer: ${MAINTAINER}
Installed-Size: ${size}
Depends: libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 10), util-linux (>= 2.38)
Recommends: ca-certificates, passt, uidmap
Suggests: git, qemu-user-static
Section: admin
Priority: optional
Description: builder of container images that needs no daemon and no root
 tbuild turns a Dockerfile and a directory into an OCI image. It speaks the
 Dockerfile language, the command line of docker buildx build, the OCI formats
 and the protocol of registries as Docker's own builder does.
 .
 It runs where there is no daemon and no privilege: as an ordinary user, in a
 job of a CI system, in a container with Docker's default restrictions.
`;
}

function compressManual(directory) {
  for (const name of readdirSync(directory)) {
    const file = join(directory, name);
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
    rmSync(file);
  }
}

function writeDocuments(directory) {
  writeText(join(directory, 'copyright'), copyright());
  const date = new Date(sourceDateEpoch() * 1000).toUTCString().replace('GMT', '+0000');
  const entry = `tbuild (${version}) unstable; urgency=medium\n\n  * New release; NEWS has the changes.\n\n -- ${MAINTAINER}  ${date}\n`;
  writeFileSync(join(directory, 'changelog.gz'), gzipSync(entry, { level: 9 }));
  writeFileSync(join(directory, 'NEWS.gz'), gzipSync(readFileSync(join(root, 'CHANGELOG.md')), { level: 9 }));
}

function copyright() {
  const { license } = manifestOf('packages/cli');
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: tbuild

Files: *
Copyright: 2026 The tbuild authors
License: ${license}
 On Debian systems, the full text of the Apache License, Version 2.0 is in
 /usr/share/common-licenses/Apache-2.0.

Files: usr/lib/tbuild/libexec/tbuild
Copyright: 2009-2026 Node.js contributors, and the authors of the libraries in Node.js
License: MIT

Files: usr/lib/tbuild/node_modules/*
Copyright: 2018-2026 Niels Martignène <niels.martignene@protonmail.com>
License: MIT

License: MIT
 Permission is hereby granted, free of charge, to any person obtaining a copy
 of this software and associated documentation files (the "Software"), to deal
 in the Software without restriction, including without limitation the rights
 to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
 copies of the Software, and to permit persons to whom the Software is
 furnished to do so, subject to the following conditions:
 .
 The above copyright notice and this permission notice shall be included in all
 copies or substantial portions of the Software.
 .
 The software is provided "as is", without warranty of any kind, express or
 implied, including but not limited to the warranties of merchantability,
 fitness for a particular purpose and noninfringement. In no event shall the
 authors or copyright holders be liable for any claim, damages or other
 liability, whether in an action of contract, tort or otherwise, arising from,
 out of or in connection with the software or the use or other dealings in the
 software.
`;
}

function writeText(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function filesIn(directory) {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((file) => lstatSync(file).isFile())
    .sort();
}

/** In KiB, as Debian counts. */
function sizeOf(directory) {
  return filesIn(directory).reduce((sum, file) => sum + Math.ceil(lstatSync(file).size / 1024), 0);
}

function sumsOf(usr, directory) {
  return filesIn(usr)
    .map((file) => `${createHash('md5').update(readFileSync(file)).digest('hex')}  ${relative(directory, file)}\n`)
    .join('');
}
