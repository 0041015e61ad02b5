import { beforeAll, describe, expect, test } from 'vitest';
import { baseImage } from '../../support/base-images.ts';
import { clone, cloneMounts, type RunInContainer, startDockerContainers } from '../../support/containers.ts';
import { needs } from '../../support/requirements.ts';
import { writeFiles } from '../../support/tbuild.ts';

/** What a pod under the restricted profile of Kubernetes may do, with a read-only root file system. */
const RESTRICTED = ['--user=1000', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--read-only', '--tmpfs=/tmp'];

describe('in a container without root, capabilities and a writable root,', needs('docker'), () => {
  let run: RunInContainer;
  beforeAll(async () => {
    if (needs('docker').skip !== true) run = await startDockerContainers();
  });

  function tbuild(args: string, dockerfile: string, ...options: readonly string[]): Promise<string> {
    const context = writeFiles({ Dockerfile: dockerfile, 'app.txt': 'app\n' });
    const mounts = [...cloneMounts(), `--volume=${context}:/context:ro`];
    return run(
      [...RESTRICTED, ...mounts, ...options],
      ['sh', '-c', `${clone.program} ${args} 2>&1 || echo "exit code $?"`],
    );
  }

  test('a build without RUN works', async () => {
    const output = await tbuild('-q /context', 'FROM scratch\nCOPY --chown=5:6 app.txt /\nWORKDIR /work\n');
    expect(output).toMatch(/^sha256:[0-9a-f]{64}\n$/);
  });

  test('root without capabilities builds without RUN, keeps the owners of files, and learns what RUN needs', async () => {
    const dockerfile = `FROM busybox AS base
RUN true
FROM busybox AS copied
COPY --chown=5:6 --chmod=640 app.txt /
FROM scratch
COPY --from=copied /app.txt /home /
`;
    const list = 'tar -tvf /tmp/out.tar app.txt';
    const options = [
      '--user=0',
      `--volume=${baseImage('busybox')}:/base:ro`,
      '--volume=/store',
      '--env=TBUILD_ROOT=/store',
    ];
    const base = '--build-context busybox=oci-layout:///base';
    expect(
      await tbuild(`-q ${base} -o type=tar,dest=/tmp/out.tar /context && ${list}`, dockerfile, ...options),
    ).toMatch(/^-rw-r----- 5\/6 /m);
    const refused = await tbuild(`${base} --target base /context`, dockerfile, ...options);
    expect(refused).toContain('Cannot isolate RUN steps');
    expect(refused).toContain('exit code 1');
    const wanted =
      /chroot isolation needs (.*)/
        .exec(refused)?.[1]
        ?.split(/ ?--cap-add /)
        .slice(1) ?? [];
    expect(wanted).toContain('CHOWN');
    const allowed = wanted.map((name) => `--cap-add=${name}`);
    expect(await tbuild(`-q ${base} --target base /context`, dockerfile, ...options, ...allowed)).toMatch(/^sha256:/m);
  });

  test.each([
    [
      'GitLab',
      ['--env=GITLAB_CI=true'],
      'run the job as root, or set security_opt = ["seccomp:unconfined"] in [runners.docker]',
    ],
    ['Kubernetes', ['--env=KUBERNETES_SERVICE_HOST=10.0.0.1'], 'or run it as root in a pod with hostUsers: false'],
    [
      'GitLab in Kubernetes',
      ['--env=KUBERNETES_SERVICE_HOST=10.0.0.1', '--env=GITLAB_CI=true'],
      "with [[runners.kubernetes.pod_spec]] in the runner's config.toml",
    ],
  ])('%s: doctor fails the job and names the setting that allows RUN', async (_, options, setting) => {
    const output = await tbuild('doctor', 'FROM scratch\n', ...options);
    expect(output).toContain(setting);
    expect(output).toContain('exit code 1');
  });
});
