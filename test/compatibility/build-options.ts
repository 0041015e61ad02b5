import { row, type Row } from './row.ts';

const e2e = (path: string): string => `test/e2e/${path}.test.ts`;
const cli = (path: string): string => `packages/cli/src/${path}.test.ts`;

const ACCEPTED = cli('flags/ignored-flags');
const LIMITS = e2e('run/run-limits');

/** The options of `docker buildx build` 0.36, with the hidden ones of `docker build`. */
export const buildOptions: readonly Row[] = [
  row('--add-host', e2e('run/network')),
  row('--allow', e2e('run/run-mounts')),
  row('--annotation', e2e('images/output-options')),
  row('--attest', e2e('images/sbom-scanner')),
  row('--build-arg', e2e('dockerfile/projects')),
  row('--build-context', e2e('dockerfile/remote-context')),
  row('--builder', e2e('program/docker-commands')),
  row('--cache-from', e2e('cache/cache-registry')),
  row('--cache-to', e2e('cache/cache-registry')),
  row('--call', e2e('dockerfile/checks')),
  row('--cgroup-parent', e2e('run/run-limits')),
  row('--check', e2e('dockerfile/checks')),
  row('--compress', ACCEPTED),
  row('--cpu-period', LIMITS),
  row('--cpu-quota', LIMITS),
  row('--cpu-shares', LIMITS),
  row('--cpuset-cpus', LIMITS),
  row('--cpuset-mems', LIMITS),
  row('--debug', e2e('dockerfile/checks')),
  row('--disable-content-trust', ACCEPTED),
  row('--file', e2e('dockerfile/remote-context'), { word: "'-f', 'sub/Other'" }),
  row('--force-rm', ACCEPTED),
  row('--iidfile', e2e('program/command-line')),
  row('--isolation', e2e('run/run-limits'), {
    differs: 'also chooses how steps are isolated: auto, namespace, oci or chroot',
  }),
  row('--label', e2e('images/image-commands')),
  row('--load', e2e('images/load-engines')),
  row('--memory', LIMITS, { word: "'--memory=" }),
  row('--memory-swap', LIMITS),
  row('--metadata-file', e2e('images/output-options')),
  row('--network', e2e('run/network')),
  row('--no-cache', e2e('cache/cache-hit')),
  row('--no-cache-filter', e2e('cache/cache-explain')),
  row('--output', e2e('images/outputs'), { word: '-o' }),
  row('--platform', e2e('dockerfile/platforms')),
  row('--policy', 'test/goldens/cases/command-line.ts'),
  row('--print', e2e('program/foreign-options')),
  row('--progress', e2e('program/command-line')),
  row('--provenance', e2e('images/attested-images'), { differs: 'off unless asked for' }),
  row('--pull', e2e('registry/registry')),
  row('--push', e2e('registry/registry')),
  row('--quiet', e2e('program/command-line'), { word: '-q' }),
  row('--resource', e2e('run/run-limits')),
  row('--rm', ACCEPTED),
  row('--sbom', e2e('images/sbom-scanner'), { differs: 'needs no scanner image; generator= runs one' }),
  row('--secret', e2e('images/attestations')),
  row('--security-opt', ACCEPTED),
  row('--shm-size', e2e('run/run-mounts')),
  row('--squash', ACCEPTED),
  row('--ssh', e2e('run/run-mounts')),
  row('--tag', e2e('dockerfile/platforms')),
  row('--target', e2e('dockerfile/multi-stage')),
  row('--ulimit', e2e('run/run-mounts')),
];

/** Commands of `docker`, `docker buildx` and `docker builder` about builds and images. */
export const commands: readonly Row[] = [
  ...['build', 'create', 'du', 'inspect', 'ls', 'prune', 'rm', 'stop', 'use', 'version'].map((name) =>
    row(`buildx ${name}`, e2e('program/docker-commands'), {
      word: `'${name}'`,
      ...(['create', 'rm', 'stop', 'use'].includes(name) ? { differs: 'accepted: there is one builder' } : {}),
    }),
  ),
  ...Object.entries({
    dap: 'use `tbuild debug`',
    debug: 'use `tbuild debug`',
    'dial-stdio': 'there is no daemon to connect to',
    install: 'use `tbuild install --as-buildx`',
    policy: 'use `--source-policy-file`',
    uninstall: 'use `tbuild install --uninstall`',
  }).map(([name, hint]) =>
    row(`buildx ${name}`, e2e('program/docker-commands'), { word: `'${name}'`, differs: `refused: ${hint}` }),
  ),
  row('buildx history', e2e('program/builds'), { word: "'buildx', 'history'" }),
  row('buildx bake', e2e('bake/one-build'), { word: 'bake' }),
  row('buildx imagetools create', e2e('images/imagetools'), { word: "'imagetools', 'create'" }),
  row('buildx imagetools inspect', e2e('images/imagetools'), { word: "'imagetools', 'inspect'" }),
  row('builder build', e2e('program/docker-commands'), { word: "['builder', 'build']" }),
  row('builder prune', e2e('program/docker-commands'), { word: "['builder', 'prune'" }),
  row('image build', e2e('program/docker-commands'), { word: "['image', 'build']" }),
  row('image prune', e2e('program/docker-commands'), { word: "'image', 'prune'" }),
  row('system df', e2e('program/docker-commands'), { word: "['system', 'df']" }),
  row('system prune', e2e('program/docker-commands'), { word: "['system', 'prune'" }),
  ...['history', 'inspect', 'save', 'tag', 'rmi'].map((name) =>
    row(name, e2e('images/image-commands'), { word: `'${name}'` }),
  ),
  row('images', e2e('images/unnamed-images'), { word: "'images'" }),
  row('load', e2e('images/image-commands'), { word: "'load'" }),
  row('login', e2e('registry/login'), { word: "'login'" }),
  row('logout', e2e('registry/login'), { word: "'logout'" }),
  row('pull', e2e('images/image-commands'), { word: "'pull'" }),
  row('push', e2e('images/image-commands'), { word: "'push'" }),
];
