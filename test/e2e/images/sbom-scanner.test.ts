import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { good, runTbuild, userDirectory, writeFiles } from '../../support/tbuild.ts';

/** A scanner that writes its variables, and for each tree the files at its root. */
const SCAN = `#!/bin/sh
set -e
scan() {
  printf '{"_type":"https://in-toto.io/Statement/v0.1","subject":[],"predicateType":"https://spdx.dev/Document","predicate":{"spdxVersion":"SPDX-2.3","name":"%s","files":"%s","depth":"%s"}}' \\
    "$(basename $1)" "$(ls $1 | tr '\\n' ' ')" "$BUILDKIT_SCAN_depth" > "$BUILDKIT_SCAN_DESTINATION/$(basename $1).spdx.json"
}
scan "$BUILDKIT_SCAN_SOURCE"
if [ -n "$BUILDKIT_SCAN_SOURCE_EXTRAS" ]; then for extra in "$BUILDKIT_SCAN_SOURCE_EXTRAS"/*; do scan "$extra"; done; fi
touch /tmp/writable
! touch "$BUILDKIT_SCAN_SOURCE/read-only" 2>/dev/null
`;
const scannerOf = (script: string) => ({
  Dockerfile: 'FROM busybox\nCOPY scan /bin/\nUSER nobody\nCMD ["/bin/scan"]\n',
  scan: script,
});

const files = {
  Dockerfile: `FROM --platform=$BUILDPLATFORM busybox AS tools
ARG BUILDKIT_SBOM_SCAN_STAGE=true
RUN touch /built
FROM busybox AS unused
ARG BUILDKIT_SBOM_SCAN_STAGE=true
FROM scratch
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true
COPY --from=tools /built /result
`,
  source: 'source\n',
};

const store = (asUser: boolean) => (asUser ? userDirectory('store') : scratchDirectory('store'));
const build = (
  context: Readonly<Record<string, string>>,
  args: readonly string[],
  options: { store: string; asUser?: boolean },
) => runTbuild(['build', '--progress', 'plain', ...baseImageArguments(), ...args, writeFiles(context)], options);

interface Statement {
  readonly predicate: Readonly<Record<string, string>>;
  readonly subject: readonly { readonly name: string }[];
}
const statement = (path: string): Statement => JSON.parse(readFileSync(path, 'utf8'));

describe.each(builders)('the scanner of $who', ({ asUser }) => {
  test('receives the image and the requested context and stages, read-only', async () => {
    const options = { store: store(asUser), asUser };
    const place = join(asUser ? userDirectory('out') : scratchDirectory('out'), 'tree');
    good(await build(scannerOf(SCAN), ['-t', 'scanner:1'], options));
    const built = good(await build(files, ['--sbom=generator=scanner:1,depth=3', '-o', place], options));
    expect(built.stderr).toContain('generating sbom using docker.io/library/scanner:1');
    const written = readdirSync(place).filter((name) => name.endsWith('.json'));
    expect(written).toEqual(['sbom-context.spdx.json', 'sbom-tools.spdx.json', 'sbom.spdx.json']);
    const [context, tools, core] = written.map((name) => statement(join(place, name)));
    expect(core?.predicate).toEqual({ spdxVersion: 'SPDX-2.3', name: 'sbom', files: 'result ', depth: '3' });
    expect(core?.subject.map(({ name }) => name)).toContain('result');
    expect(tools?.predicate.files).toContain(' built ');
    expect(context?.predicate.files).toBe('Dockerfile source ');
    const again = good(await build(files, ['--sbom=generator=scanner:1,depth=3', '-o', `${place}2`], options));
    expect(again.stderr).toMatch(/generating sbom using[^\n]*\n#\d+ CACHED/);
  });
});

test('the statements of a scanner are attached to the image, that of the image first', async () => {
  const options = { store: scratchDirectory('store') };
  const layout = join(scratchDirectory('layout'), 'image');
  good(await build(scannerOf(SCAN), ['-t', 'scanner:1'], options));
  const output = ['-o', `type=oci,tar=false,dest=${layout}`, '--attest', 'type=sbom,generator=scanner:1'];
  good(await build(files, [...output, '--platform', 'linux/amd64,linux/arm64'], options));
  const read = (digest: string) => JSON.parse(readFileSync(join(layout, 'blobs', digest.replace(':', '/')), 'utf8'));
  const [root] = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests;
  const [amd64, arm64, ...said] = read(root.digest).manifests;
  expect([amd64.platform.architecture, arm64.platform.architecture, said.length]).toEqual(['amd64', 'arm64', 2]);
  for (const [at, { digest }] of said.entries()) {
    const { subject, layers } = read(digest);
    const statements = layers.map((layer: { digest: string }) => read(layer.digest));
    expect(statements.map(({ predicate }: Statement) => predicate.name)).toEqual([
      'sbom',
      'sbom-context',
      'sbom-tools',
    ]);
    expect(subject.digest).toBe([amd64, arm64][at].digest);
    // An image without a name is no subject of statements, as in BuildKit.
    expect(statements[0].subject).toEqual([]);
  }
});

test('the built-in scanner also makes an SBOM of each requested stage and of the context', async () => {
  const place = join(scratchDirectory('out'), 'tree');
  const lock = JSON.stringify({ packages: { 'node_modules/left-pad': { version: '1.3.0' } } });
  const context = { ...files, 'package-lock.json': lock };
  good(await build(context, ['--sbom=true', '-o', place], { store: scratchDirectory('store') }));
  const names = (file: string) => JSON.stringify(statement(join(place, file)).predicate);
  expect(names('sbom-context.spdx.json')).toContain('pkg:npm/left-pad@1.3.0');
  expect(names('sbom.spdx.json')).not.toContain('left-pad');
  expect(existsSync(join(place, 'sbom-tools.spdx.json'))).toBe(true);
});

test.each([
  ['fails', '#!/bin/sh\necho no licence >&2\nexit 3\n', /exit code: 3/],
  ['writes nothing', '#!/bin/sh\n', /"scanner:1" wrote no files to \/run\/out/],
  [
    'writes no JSON',
    '#!/bin/sh\necho hello > /run/out/sbom.spdx.json\n',
    /not an in-toto statement: it is not valid JSON/,
  ],
  ['writes a bare document', '#!/bin/sh\necho "{}" > /run/out/a.spdx.json\n', /predicateType or predicate is missing/],
  ['leads elsewhere', '#!/bin/sh\nln -s /etc/passwd /run/out/sbom.spdx.json\n', /wrote no file/],
])('a scanner that %s fails the build', async (_, script, message) => {
  const options = { store: scratchDirectory('store') };
  good(await build(scannerOf(script), ['-t', 'scanner:1'], options));
  const { exitCode, stderr } = await build(files, ['--sbom=generator=scanner:1', '-t', 'app'], options);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(message);
});

test('a scanner without a command is refused', async () => {
  const options = { store: scratchDirectory('store') };
  good(await build({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' }, ['-t', 'scanner:1'], options));
  const { stderr } = await build(files, ['--sbom=generator=scanner:1', '-t', 'app'], options);
  expect(stderr).toContain('Scanner "scanner:1" has no command');
});
