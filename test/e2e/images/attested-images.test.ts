import { describe, expect, test } from 'vitest';
import { startContainerd } from '../../support/containerd.ts';
import { docker } from '../../support/docker.ts';
import { containersTools } from '../../support/peers.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { buildGood } from '../../support/tbuild.ts';

const files = { Dockerfile: 'FROM busybox\nRUN echo made > /made\nCMD ["cat", "/made"]\n' };

/** Pushes an image with provenance and SBOM; returns its name. */
async function pushed(suffix: string, options = ''): Promise<string> {
  const name = `${await sharedService('registry')}/attested/run:${suffix}`;
  const output = ['-o', `type=registry${options}`, '--provenance=mode=max', '--sbom=true'];
  await buildGood(files, { store: scratchDirectory('store'), args: ['--tag', name, ...output] });
  return name;
}

describe('an image with attestations, from a registry', needs('registry'), () => {
  const forms = [
    ['artifacts', ''],
    ['manifests', ',oci-artifact=false'],
  ] as const;

  test.each(forms)('runs in Docker (attestations as %s)', needs('docker'), async (form, options) => {
    const host = await sharedService('docker');
    const name = await pushed(`docker-${form}`, options);
    expect(await docker(host, ['run', '--rm', '--quiet', '--network', 'none', name])).toBe('made\n');
    await docker(host, ['rmi', name]);
  });

  test.each(forms)('runs in Podman (attestations as %s)', needs('podman'), async (form, options) => {
    const { podman } = containersTools();
    const name = await pushed(`podman-${form}`, options);
    const run = ['run', '--rm', '--quiet', '--tls-verify=false', '--network', 'none', name];
    expect(await podman(run)).toBe('made\n');
  });

  test.each(forms)('runs in containerd (attestations as %s)', needs('containerd'), async (form, options) => {
    await using containerd = await startContainerd();
    const name = await pushed(`containerd-${form}`, options);
    await containerd.ctr(['images', 'pull', '--plain-http', name]);
    await containerd.ctr(['run', '--rm', '--null-io', name, 'check', 'test', '-s', '/made']);
  });
});
