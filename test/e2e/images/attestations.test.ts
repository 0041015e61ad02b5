import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { skopeo } from '../../support/peers.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const STATUS = 'Package: hello\\nStatus: install ok installed\\nArchitecture: amd64\\nVersion: 2.10-3\\n';
const files = (base: string) => ({
  Dockerfile: `FROM ${base}\nARG NAME\nRUN mkdir -p /var/lib/dpkg && printf '${STATUS}' > /var/lib/dpkg/status\nRUN --mount=type=secret,id=token test -s /run/secrets/token\n`,
});

async function build(args: readonly string[], context: Record<string, string>): Promise<string> {
  const store = scratchDirectory('store');
  const secret = join(writeFiles({ token: 'hunter2' }), 'token');
  good(
    await runTbuild(
      ['build', '--build-arg', 'NAME=arg-value', '--secret', `id=token,src=${secret}`, ...args, writeFiles(context)],
      { store },
    ),
  );
  return store;
}

describe('attestations', needs('registry'), () => {
  test('lie beside the image in its index, as buildx stores them', async () => {
    const host = await sharedService('registry');
    const name = `${host}/attested:1`;
    await build(
      ['--tag', name, '--push', '--sbom=true', '--provenance=mode=max'],
      files(await pushBaseImage('busybox', host)),
    );
    const index = JSON.parse(await skopeo(['inspect', '--raw', '--tls-verify=false', `docker://${name}`]));
    expect(index.mediaType).toBe('application/vnd.oci.image.index.v1+json');
    const [image, said] = index.manifests;
    expect(said).toMatchObject({
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': image.digest },
    });
    const manifest = JSON.parse(
      await skopeo(['inspect', '--raw', '--tls-verify=false', `docker://${host}/attested@${said.digest}`]),
    );
    expect(
      manifest.layers.map(({ mediaType, annotations }: { mediaType: string; annotations: Record<string, string> }) => [
        mediaType,
        annotations['in-toto.io/predicate-type'],
      ]),
    ).toEqual([
      ['application/vnd.in-toto+json', 'https://spdx.dev/Document'],
      ['application/vnd.in-toto+json', 'https://slsa.dev/provenance/v1'],
    ]);
    const layout = join(scratchDirectory('attested'), 'layout');
    await skopeo(['copy', '--quiet', '--all', '--src-tls-verify=false', `docker://${name}`, `oci:${layout}:1`]);
    const [sbom, provenance] = manifest.layers.map(({ digest }: { digest: string }) =>
      readFileSync(join(layout, 'blobs', digest.replace(':', '/')), 'utf8'),
    );
    expect(JSON.parse(sbom)).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { sha256: image.digest.slice(7) } }],
      predicate: { spdxVersion: 'SPDX-2.3' },
    });
    expect(sbom).toContain('pkg:deb/debian/hello@2.10-3?arch=amd64');
    expect(provenance).toContain('"build-arg:NAME":"arg-value"');
    expect(sbom + provenance).not.toContain('hunter2');
  });

  test('are read by buildx imagetools', needs('docker'), async () => {
    const host = await sharedService('registry');
    const name = `${host}/attested:2`;
    await build(
      ['--tag', name, '--push', '--sbom=true', '--provenance=true'],
      files(await pushBaseImage('busybox', host)),
    );
    const inspect = (format: string) =>
      runChecked('docker', ['buildx', 'imagetools', 'inspect', name, '--format', format]);
    expect(
      JSON.parse(await inspect('{{json .SBOM}}')).SPDX.packages.map((one: { name: string }) => one.name),
    ).toContain('hello');
    expect(await inspect('{{json .Provenance}}')).toContain('resolvedDependencies');
    const own = async (format: string) =>
      good(await runTbuild(['imagetools', 'inspect', name, '--format', format])).stdout.trim();
    expect(JSON.parse(await own('{{json .SBOM}}'))).toEqual(JSON.parse(await inspect('{{json .SBOM}}')));
    expect(JSON.parse(await own('{{json .Provenance}}'))).toEqual(JSON.parse(await inspect('{{json .Provenance}}')));
    const packages = '{{range .SBOM.SPDX.packages}}{{.name}} {{end}}';
    expect(await own(packages)).toBe((await inspect(packages)).trim());
  });

  test.each(['true', 'false'])(
    'name the digest in the registry when the image is pushed later (as artifacts: %s)',
    async (artifact) => {
      const host = await sharedService('registry');
      const name = `${host}/attested/later:${artifact}`;
      const output = ['-o', `type=image,oci-artifact=${artifact}`, '--sbom=true', '--provenance=true'];
      const store = await build(['--tag', name, ...output], { Dockerfile: 'FROM scratch\nCOPY f /f\n', f: 'content' });
      good(await runTbuild(['push', name], { store }));
      const layout = join(scratchDirectory('attested'), 'layout');
      await skopeo(['copy', '--quiet', '--all', '--src-tls-verify=false', `docker://${name}`, `oci:${layout}:1`]);
      const read = (digest: string) =>
        JSON.parse(readFileSync(join(layout, 'blobs', digest.replace(':', '/')), 'utf8'));
      const [root] = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests;
      const [image, said] = read(root.digest).manifests;
      expect(read(image.digest).layers[0].mediaType).toContain('gzip');
      expect(said.annotations['vnd.docker.reference.digest']).toBe(image.digest);
      const { layers, subject, config } = read(said.digest);
      for (const { digest } of layers) expect(read(digest).subject[0].digest.sha256).toBe(image.digest.slice(7));
      if (artifact === 'true') expect(subject.digest).toBe(image.digest);
      else expect(read(config.digest).rootfs.diff_ids).toEqual(layers.map(({ digest }: { digest: string }) => digest));
    },
  );

  test('are files beside a local output, and are off by default', async () => {
    const output = join(scratchDirectory('out'), 'tree');
    const context = { Dockerfile: 'FROM scratch\nCOPY f /f\n', f: 'content' };
    await build(['-o', output, '--provenance=true', '--sbom=true'], context);
    const { subject, predicateType } = JSON.parse(readFileSync(join(output, 'provenance.json'), 'utf8'));
    expect(predicateType).toBe('https://slsa.dev/provenance/v1');
    expect(subject).toEqual([
      { name: 'f', digest: { sha256: 'ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73' } },
    ]);
    expect(JSON.parse(readFileSync(join(output, 'sbom.spdx.json'), 'utf8')).predicateType).toBe(
      'https://spdx.dev/Document',
    );
    const store = await build(['--tag', 'plain'], context);
    expect(JSON.parse(readFileSync(join(store, 'index.json'), 'utf8')).manifests[0].mediaType).toBe(
      'application/vnd.oci.image.manifest.v1+json',
    );
  });
});
