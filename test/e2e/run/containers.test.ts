import { chownSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import {
  clone,
  cloneMounts,
  type RunInContainer,
  startDockerContainers,
  startPodmanContainers,
} from '../../support/containers.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { writeFiles } from '../../support/tbuild.ts';

const { repository, program } = clone;
const engines = [
  { engine: 'docker', start: startDockerContainers, confined: ['chroot/'] },
  { engine: 'podman', start: startPodmanContainers, confined: ['namespace/namespace', 'machine/probe'] },
];
/** Imitates a Kubernetes pod without a seccomp profile. */
const UNCONFINED = ['--security-opt', 'seccomp=unconfined'];
const USER_NAMESPACE =
  'unshare --user --map-users=all --map-groups=all --mount --propagation slave env TBUILD_IN_USERNS=1';

describe.each(engines)('in a container of $engine without privileges', ({ engine, start, confined }) => {
  let run: RunInContainer;
  beforeAll(async () => {
    if (needs(engine).skip !== true) run = await start();
  });

  /** The suite runs in a tree of busybox. */
  const runSuites = (options: readonly string[], suites: readonly string[]) => {
    const vitest = 'node_modules/.bin/vitest run --config test/support/inside.config.ts --configLoader runner';
    const files = suites.map((suite) => `packages/executor/src/${suite}`).join(' ');
    const wrapper = suites.includes('chroot/') ? '' : USER_NAMESPACE;
    const mounts = [...cloneMounts(), '--volume=/usr/bin/busybox:/usr/bin/busybox:ro', '--tmpfs=/suite:exec,dev'];
    return run(
      [...options, ...mounts, '--workdir', repository],
      ['sh', '-c', `TMPDIR=/suite exec ${wrapper} ${vitest} --reporter json ${files}`],
    );
  };
  const resultOf = (output: string) => {
    const { numFailedTests, numPassedTests } = JSON.parse(output.slice(output.indexOf('{"num')));
    return { failed: numFailedTests, ran: numPassedTests > 10 };
  };

  test("the executors' suites pass with the defaults", needs(engine, 'busybox'), async () => {
    const output = await runSuites([], [...confined, 'materialised']);
    expect(resultOf(output)).toEqual({ failed: 0, ran: true });
  });

  test("the executors' suites pass without a seccomp filter", needs(engine, 'busybox'), async () => {
    const output = await runSuites(UNCONFINED, ['namespace/namespace', 'machine/probe', 'materialised']);
    expect(resultOf(output)).toEqual({ failed: 0, ran: true });
  });
});

const dockerfile = `FROM busybox
RUN echo made > /made && chown 33:34 /made
COPY Dockerfile /
`;
const copies = `FROM busybox
COPY --chown=33:34 Dockerfile /
`;

/** Each with doctor's line about RUN, and the result of a build. `EXIT n` is its exit code. */
const settings = [
  { what: 'Docker has by default', options: [], doctor: /^limited.*chroot/, build: /chroot only[^]*EXIT 0/ },
  { what: 'has no seccomp filter', options: UNCONFINED, doctor: /^good.*namespace/, build: /EXIT 0/ },
  {
    what: 'has no capability MKNOD',
    options: ['--cap-drop=MKNOD'],
    doctor: /^missing[^]*--cap-add MKNOD/,
    build: /Cannot isolate RUN steps[^]*hint: .*--cap-add MKNOD[^]*EXIT 1/,
  },
  {
    what: 'is run by an ordinary user',
    options: ['--user=1000:1000', '--env=TBUILD_ROOT=/tmp/store'],
    doctor: /^missing[^]*seccomp filter of this container refuses user namespaces[^]*run it as root/,
    build: /seccomp filter of this container refuses user namespaces[^]*EXIT 1/,
    copies: /EXIT 0/,
  },
  {
    what: 'is run by some id that has no name, without a filter',
    options: ['--user=1234567:0', '--env=TBUILD_ROOT=/tmp/store', ...UNCONFINED],
    doctor: /^good[^]*limited +subordinate ids/,
    build: /chown: \/made: Invalid argument[^]*EXIT 1/,
    copies: /EXIT 0/,
  },
  {
    what: 'gives its user no home',
    options: ['--user=1000:1000'],
    doctor: /^missing[^]*good +store +"\/tmp\/tbuild-1000", closed to other users/,
    build: /seccomp filter of this container refuses user namespaces[^]*EXIT 1/,
    copies: /EXIT 0/,
  },
  {
    what: 'gives its user no home and no place for temporary files',
    options: ['--user=1000:1000', '--env=TMPDIR=/sys'],
    doctor:
      /^missing[^]*missing +store +Cannot create the store "\/sys\/tbuild-1000" \(read-only file system\)\n +→ .*TBUILD_ROOT[^]*seccomp/,
    build:
      /^ERROR: Cannot create the store "\/sys\/tbuild-1000" \(read-only file system\)\nhint: .*TBUILD_ROOT=DIR\nEXIT 1/,
  },
  {
    what: 'gives its user a home that is not there',
    options: ['--user=1000:1000', '--env=HOME=/nonexistent'],
    doctor:
      /^missing[^]*missing +store +Cannot create the store "\/nonexistent\/.local\/share\/tbuild" \(E[A-Z]+\)\n +→ .*TBUILD_ROOT/,
    build: /^ERROR: Cannot create the store "\/nonexistent\/.local\/share\/tbuild" \(EACCES\)\nhint: .*\nEXIT 2/,
  },
  {
    what: 'finds the directory of its store taken by somebody else',
    options: ['--user=1000:1000', '--volume=VOLUME:/tmp', '--volume=/usr:/tmp/tbuild-1000:ro'],
    doctor: /^missing[^]*missing +store +Other users may have written to the store "\/tmp\/tbuild-1000"\n +→ /,
    build: /^ERROR: Other users may have written to the store "\/tmp\/tbuild-1000"\nhint: .*\nEXIT 2/,
  },
  {
    what: 'has a read-only root, and a volume for the store',
    options: ['--read-only', '--volume=VOLUME:/store', '--env=TBUILD_ROOT=/store'],
    doctor: /^limited.*chroot/,
    build: /EXIT 0/,
  },
  {
    what: 'may execute nothing in the store',
    options: ['--tmpfs=/store:noexec', '--env=TBUILD_ROOT=/store', ...UNCONFINED],
    doctor: /^missing[^]*Programs cannot be executed in "\/store\/run": .*noexec/,
    build: /Programs cannot be executed in "\/store\/run"[^]*noexec[^]*EXIT 1/,
  },
  {
    what: 'has its store where device nodes do not work',
    options: ['--tmpfs=/store:exec', '--env=TBUILD_ROOT=/store'],
    doctor: /^missing[^]*Device nodes do not work in "\/store\/[^]*nodev/,
    build: /ERROR: Device nodes do not work in "\/store\/.*\nhint: .*nodev[^]*EXIT 1/,
    copies: /EXIT 0/,
  },
  {
    what: 'has its store in memory',
    options: ['--tmpfs=/store:exec', '--env=TBUILD_ROOT=/store', ...UNCONFINED],
    doctor: /^good[^]*good +overlay/,
    build: /EXIT 0/,
  },
];

describe('a container that', needs('docker'), () => {
  let run: RunInContainer;
  beforeAll(async () => {
    run = await startDockerContainers();
  });

  test.each(settings)(
    '$what: doctor predicts what builds do',
    async ({ options, doctor, build, copies: copied = build }) => {
      const context = writeFiles({ Dockerfile: dockerfile, copies });
      const volume = scratchDirectory('volume');
      chownSync(volume, 1000, 1000);
      const tbuild = `${program} build --progress plain ${baseImageArguments().join(' ')}`;
      const commands = [
        `${program} doctor`,
        `${tbuild} /context; echo EXIT $?`,
        `${tbuild} -f /context/copies /context; echo EXIT $?`,
      ];
      const mounts = [...cloneMounts(), `--volume=${context}:/context:ro`];
      const output = await run(
        [...options.map((option) => option.replace('VOLUME', volume)), ...mounts],
        ['sh', '-c', `exec 2>&1; ${commands.join('; echo =====; ')}`],
      );
      const [told = '', built = '', files = ''] = output.split('=====\n');
      expect(told).toMatch(doctor);
      expect(built).toMatch(build);
      if (copied !== build) expect(files).toMatch(copied);
    },
  );
});
