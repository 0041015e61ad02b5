import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { expect, test } from 'vitest';
import { scratchDirectory } from '../../support/scratch.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const DPKG = `Package: hello
Status: install ok installed
Maintainer: A Maintainer <a@example.org>
Architecture: amd64
Version: 2.10-3
`;
const files = {
  Dockerfile: 'FROM scratch\nARG WHICH\nCOPY . /\n',
  'etc/os-release': 'ID=debian\nVERSION_ID="13"\n',
  'var/lib/dpkg/status': DPKG,
  'app/node_modules/@scope/left/package.json': JSON.stringify({
    name: '@scope/left',
    version: '1.2.3',
    license: 'MIT',
  }),
  'app/node_modules/odd/package.json': JSON.stringify({ name: 'odd', version: '1', license: 'SEE LICENSE IN x' }),
};

const context = writeFiles(files);

/** Builds, and returns the text of the document after a validation against the schema of CycloneDX. */
async function documentOf(...args: readonly string[]): Promise<string> {
  const file = join(scratchDirectory('sbom'), 'gl-sbom.cdx.json');
  const env = { SOURCE_DATE_EPOCH: '1700000000' };
  const options = ['--sbom', 'true', '--cyclonedx-file', file, '-t', 'registry.example/team/app:1'];
  good(await runTbuild([...options, ...args, context], { store: scratchDirectory('store'), env }));
  const text = readFileSync(file, 'utf8');
  expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot5).validate(text)).toBeNull();
  return text;
}

test('--cyclonedx-file lists the packages of an image, with the properties that GitLab reads', async () => {
  const text = await documentOf();
  const { metadata, components } = JSON.parse(text);
  expect(metadata).toMatchObject({
    timestamp: '2023-11-14T22:13:20Z',
    component: { type: 'container', name: 'registry.example/team/app', version: expect.stringMatching(/^sha256:/) },
  });
  expect(metadata.properties).toEqual([
    { name: 'gitlab:meta:schema_version', value: '1' },
    { name: 'gitlab:container_scanning:image:name', value: 'registry.example/team/app' },
    { name: 'gitlab:container_scanning:image:tag', value: '1' },
    { name: 'gitlab:container_scanning:operating_system:name', value: 'debian' },
    { name: 'gitlab:container_scanning:operating_system:version', value: '13' },
  ]);
  const deb = 'pkg:deb/debian/hello@2.10-3?arch=amd64&distro=debian-13';
  expect(components).toEqual([
    { type: 'operating-system', name: 'debian', version: '13' },
    {
      'bom-ref': 'pkg:npm/%40scope/left@1.2.3',
      type: 'library',
      name: '@scope/left',
      version: '1.2.3',
      licenses: [{ expression: 'MIT' }],
      purl: 'pkg:npm/%40scope/left@1.2.3',
    },
    { 'bom-ref': 'pkg:npm/odd@1', type: 'library', name: 'odd', version: '1', purl: 'pkg:npm/odd@1' },
    {
      'bom-ref': deb,
      type: 'library',
      supplier: { name: 'A Maintainer' },
      name: 'hello',
      version: '2.10-3',
      purl: deb,
    },
  ]);
  expect(await documentOf()).toBe(text);
});

test('several platforms share one document', async () => {
  const { components } = JSON.parse(await documentOf('--platform', 'linux/amd64,linux/arm64'));
  expect(components.length).toBe(4);
});

test('bake writes one document for its targets', async () => {
  const directory = writeFiles({
    ...files,
    'docker-bake.hcl': 'target "default" {\n  tags = ["app:1"]\n  attest = ["type=sbom"]\n}\n',
  });
  good(await runTbuild(['bake', '--cyclonedx-file', 'bom.json', '-q'], { cwd: directory }));
  const text = readFileSync(join(directory, 'bom.json'), 'utf8');
  expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot5).validate(text)).toBeNull();
  expect(JSON.parse(text).metadata.component.name).toBe('docker.io/library/app');
});

test('--cyclonedx-file without an SBOM is a mistake', async () => {
  const { exitCode, stderr } = await runTbuild(['--cyclonedx-file', 'bom.json', writeFiles(files)]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('Add --sbom true');
});
