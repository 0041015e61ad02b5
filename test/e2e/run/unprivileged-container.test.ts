import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
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
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const { repository, program } = clone;

const engines = [
  { engine: 'docker', start: startDockerContainers, isolation: 'chroot' },
  { engine: 'podman', start: startPodmanContainers, isolation: 'namespace' },
];

/** Steps that change trees in every way that a scan of metadata has to detect. */
const manyChanges = {
  Dockerfile: `FROM busybox AS build
RUN mkdir -p /out/again /out/gone && echo 1 > /out/again/old && echo hi > /out/tool && chmod 4755 /out/tool && chown 33:34 /out/tool
RUN ln /out/tool /out/second && rm -r /out/again /out/gone && mkdir /out/again && echo 2 > /out/again/new
RUN --mount=type=cache,target=/cache echo x >> /cache/count
RUN --mount=type=cache,target=/cache wc -l < /cache/count > /out/count
RUN --mount=type=secret,id=token,target=/run/secret wc -c < /run/secret > /out/length; mv /run/secret /out/stolen 2> /dev/null; true
RUN --mount=type=bind,source=input,target=/mnt/input cat /mnt/input > /out/input
RUN echo same > /out/count2 && chmod 600 /out/count2 && chmod 644 /out/count2
FROM busybox
COPY --from=build /out /out
RUN --mount=type=bind,from=build,source=/,target=/tree ls /tree/out/again > /listing && rm /etc/group
`,
  input: 'read in place\n',
};

/** Builds inside and returns the resulting tree. */
async function buildInside(
  run: RunInContainer,
  context: string,
  args: readonly string[] = [],
): Promise<{ tree: string; output: string }> {
  const out = scratchDirectory('inside');
  const mounts = [...cloneMounts(), `--volume=${context}:/context:ro`, `--volume=${out}:/out`];
  const command = `exec ${program} build --progress plain ${[...baseImageArguments(), ...args].join(' ')} -o /out/tree /context 2>&1`;
  const output = await run(mounts, ['sh', '-c', `echo s3cret > /tmp/token; ${command}`]);
  return { tree: join(out, 'tree'), output };
}

async function buildOutside(context: string, args: readonly string[] = []): Promise<string> {
  const tree = join(scratchDirectory('outside'), 'tree');
  const token = join(writeFiles({ token: 's3cret\n' }), 'token');
  good(
    await runTbuild([
      'build',
      ...baseImageArguments(),
      ...args.map((arg) => arg.replace('/tmp/token', token)),
      '-o',
      tree,
      context,
    ]),
  );
  return tree;
}

/** Returns every path with its mode, owner and content. */
function listing(root: string, path = ''): string[] {
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name) => {
      const child = join(path, name);
      const stats = lstatSync(join(root, child));
      const content = stats.isSymbolicLink()
        ? readlinkSync(join(root, child))
        : stats.isFile()
          ? readFileSync(join(root, child)).toString('base64')
          : '';
      const line = `${child} ${stats.mode.toString(8)} ${stats.uid}:${stats.gid} ${content}`;
      return stats.isDirectory() ? [line, ...listing(root, child)] : [line];
    });
}

describe.each(engines)('inside an unprivileged container of $engine', ({ engine, start, isolation }) => {
  let run: RunInContainer;
  beforeAll(async () => {
    if (needs(engine).skip !== true) run = await start();
  });

  test('tbuild doctor names the isolation that is left', needs(engine), async () => {
    const found = JSON.parse(await run(cloneMounts(), [program, 'doctor', '--format', 'json']));
    expect(found[0]).toMatchObject({ name: 'isolation of RUN', detail: expect.stringMatching(`^${isolation}`) });
  });

  test.each(['hello', 'twenty-runs', 'sleepy'])('%s gives the same tree as outside', needs(engine), async (name) => {
    const context = join(repository, 'fixtures/contexts', name);
    const { tree } = await buildInside(run, context);
    expect(listing(tree)).toEqual(listing(await buildOutside(context)));
  });

  test('deletions, links, caches, secrets and bind mounts work as outside', needs(engine), async () => {
    const context = writeFiles(manyChanges);
    const args = ['--secret', 'id=token,src=/tmp/token'];
    const { tree, output } = await buildInside(run, context, args);
    expect(listing(tree)).toEqual(listing(await buildOutside(context, args)));
    expect(readdirSync(join(tree, 'out'))).not.toContain('stolen');
    expect(output.includes('isolated by chroot only')).toBe(isolation === 'chroot');
  });

  const places =
    isolation !== 'chroot'
      ? []
      : ([
          ['a GitLab job', '--env=GITLAB_CI=true', [], /in \[runners.docker\] of the runner's config.toml$/],
          ['a pod', '--env=KUBERNETES_SERVICE_HOST=10.0.0.1', [], /in the securityContext of the container$/],
          ['a job that asked for chroot', '--env=GITLAB_CI=true', ['--isolation', 'chroot'], undefined],
        ] as const);
  test.each(places)('one warning line names the setting for %s', needs(engine), async (_, env, args, setting) => {
    const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN true\n' });
    const build = [program, 'build', '--progress', 'plain', ...baseImageArguments(), ...args, '/context'].join(' ');
    const output = await run([...cloneMounts(), `--volume=${context}:/context:ro`, env], ['sh', '-c', `${build} 2>&1`]);
    const lines = output.split('\n').filter((line) => /chroot|seccomp/.test(line));
    expect(lines).toEqual(setting === undefined ? [] : [expect.stringMatching(setting)]);
  });

  test('a step reads processors and memory in /proc, and no layer holds them', needs(engine), async () => {
    const read = 'RUN grep -c ^processor /proc/cpuinfo > /seen && grep ^MemTotal: /proc/meminfo >> /seen';
    const user = 'USER 12345\nRUN test -r /proc/cpuinfo && ! rm -f /proc/meminfo';
    const { tree } = await buildInside(run, writeFiles({ Dockerfile: `FROM busybox\n${read}\n${user}\n` }));
    expect(readFileSync(join(tree, 'seen'), 'utf8')).toMatch(/^[1-9]\d*\nMemTotal: +\d+ kB\n$/);
    expect(readdirSync(join(tree, 'proc'))).toEqual([]);
  });

  test('a step cannot leave its root, and its daemons end with it', needs(engine), async () => {
    const tries = [
      'mkdir /jail && chroot /jail / && echo chroot',
      'mount -t tmpfs none /mnt && echo mount',
      'mknod /disk b 254 0 && head -c 1 /disk | grep -q . && echo disk',
      'ls -d /context /repository && echo outside',
      'ls /proc/*/root/context && echo proc',
    ];
    const context = writeFiles({
      Dockerfile: `FROM busybox
RUN ( ${tries.map((attempt) => `( ${attempt} ) 2> /dev/null`).join('; ')} ) > /seen; (trap "" TERM HUP; setsid sleep 1000 &) ; (setsid sh -c 'sleep 2; echo late > /late' &) > /dev/null 2>&1
RUN sleep 2.5; ls / > /names
`,
    });
    const { tree } = await buildInside(run, context);
    expect(readFileSync(join(tree, 'seen'), 'utf8')).toBe('');
    expect(readFileSync(join(tree, 'names'), 'utf8')).not.toContain('late');
  });

  test('a killed build leaves no secrets on disk or in memory', needs(engine), async () => {
    const context = writeFiles({
      Dockerfile:
        'FROM busybox\nRUN --mount=type=secret,id=file --mount=type=secret,id=file,env=TOKEN test "$(cat /run/secrets/file)" = "$TOKEN" && sleep 1234\n',
    });
    const build = `${program} build --root /store ${baseImageArguments().join(' ')} --secret id=file,env=VALUE /context`;
    const script = `export VALUE=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \\n')
${build} > /log 2>&1 & until grep -qs '[1]234' /proc/[0-9]*/cmdline; do sleep 0.1; kill -0 $! || break; done
for comm in $(grep -lE '^(node|MainThread)$' /proc/[0-9]*/comm); do kill -9 $(basename $(dirname $comm)); done
wait $!; cat /log; sleep 1; echo =====; grep -rla $VALUE /store /dev/shm`;
    const mounts = [...cloneMounts(), `--volume=${context}:/context:ro`];
    const [log, found] = (await run(mounts, ['sh', '-c', `${script}; true`])).split('=====\n');
    expect(log).not.toContain('ERROR');
    expect(found).toBe('');
  });

  test('no step traces a process, unless it is allowed to be insecure', needs(engine), async () => {
    // PTRACE_SEIZE of a child of its own, which the kernel allows where no filter refuses it.
    const trace = `perl -e 'my $p = fork // die; if (!$p) { sleep 60; exit }; print syscall(${PTRACE}, 0x4206, $p, 0, 0) == 0 ? "traced " : "refused "; kill 9, $p'`;
    const context = writeFiles({
      Dockerfile: `FROM debian
RUN mkdir -m 777 /seen && ${trace} > /seen/root
USER 1000
RUN ${trace} > /seen/user
USER 0
RUN touch /usr/bin/sudo
USER 1000
RUN ${trace} > /seen/sudo
RUN --security=insecure ${trace} > /seen/insecure
FROM scratch
COPY --from=0 /seen /
`,
    });
    const args = ['--allow', 'security.insecure', ...baseImageArguments(['debian'])];
    const { tree, output } = await buildInside(run, context, args);
    const verdictOf = (name: string): string => readFileSync(join(tree, name), 'utf8').trim();
    const confined = isolation === 'chroot' ? 'refused' : 'traced';
    expect(['root', 'user', 'sudo'].map(verdictOf)).toEqual([confined, confined, confined]);
    expect(verdictOf('insecure')).toBe('traced');
    expect(output.includes('sudo gains no rights in this step')).toBe(isolation === 'chroot');
  });
});

/** The number of ptrace(2). */
const PTRACE = process.arch === 'arm64' ? 117 : 101;
