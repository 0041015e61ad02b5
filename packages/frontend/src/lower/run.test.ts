import type { RunOp } from '@tbuild/graph';
import { expect, test } from 'vitest';
import { planText } from '../../test/plan-text.ts';
import type { PlanOptions } from '../plan.ts';

async function planRun(
  text: string,
  options: Partial<PlanOptions> = {},
): Promise<{ op: RunOp; createdBy?: string; name: string }> {
  const { steps, plan } = await planText(text, options);
  const step = steps.at(-1);
  if (step?.op.kind !== 'run') throw new Error('The last step is no RUN');
  return { op: step.op, createdBy: plan.history.at(-1)?.createdBy, name: step.name };
}

const ops: [name: string, text: string, op: Partial<RunOp>][] = [
  [
    'shell',
    'FROM busybox\nRUN a "b"',
    { args: ['/bin/sh', '-c', 'a "b"'], cwd: '/', user: '', hostname: 'buildkitsandbox' },
  ],
  ['exec', 'FROM busybox\nRUN ["a", "b c"]', { args: ['a', 'b c'] }],
  ['no expansion', 'FROM busybox\nENV x=1\nRUN a $x', { args: ['/bin/sh', '-c', 'a $x'] }],
  ['SHELL', 'FROM busybox\nSHELL ["/bin/bash", "-ec"]\nRUN a', { args: ['/bin/bash', '-ec', 'a'] }],
  ['user and directory', 'FROM app\nRUN a', { cwd: '/srv', user: 'app', env: ['PATH=/bin', 'MODE=base'] }],
  ['ARG is a variable', 'FROM busybox\nARG a=1\nARG b\nENV c=$a\nRUN x', { env: ['PATH=/bin', 'a=1', 'c=1'] }],
  ['ARG after ENV wins', 'FROM app\nARG MODE=arg\nRUN x', { env: ['PATH=/bin', 'MODE=arg'] }],
  ['ENV after ARG wins', 'FROM busybox\nARG a=1\nENV a=2\nRUN x', { env: ['PATH=/bin', 'a=2'] }],
  ['global ARG declared again', 'ARG v=1\nFROM busybox\nARG v\nRUN x', { env: ['PATH=/bin', 'v=1'] }],
  ['global ARG not declared again', 'ARG v=1\nFROM busybox\nRUN x', { env: ['PATH=/bin'] }],
  ['own default beats the global value', 'ARG v=1\nFROM busybox\nARG v=2\nRUN x', { env: ['PATH=/bin', 'v=2'] }],
  ['child stages inherit ARGs', 'FROM busybox AS a\nARG v=1\nFROM a\nRUN x', { env: ['v=1', 'PATH=/bin'] }],
  ['flags', 'FROM busybox\nRUN --network=none --security=insecure x', { network: 'none', security: 'insecure' }],
  ['heredoc', 'FROM busybox\nRUN <<EOF\na $x\n\tb\nEOF', { args: ['/bin/sh', '-c', 'a $x\n\tb\n'], mounts: [] }],
  ['heredoc without tabs', 'FROM busybox\nRUN <<-EOF\n\ta\n\tEOF', { args: ['/bin/sh', '-c', 'a\n'] }],
  [
    'heredoc beside text',
    'FROM busybox\nRUN cat <<-A <<B\n\ta\n\tA\nb\nB',
    {
      args: ['/bin/sh', '-c', 'cat <<-A <<B\n\ta\nA\nb\nB'],
    },
  ],
  [
    'script',
    'FROM busybox\nRUN <<EOF\n#!/bin/x\na\nEOF',
    {
      args: ['/bin/sh', '-c', '/dev/pipes/EOF'],
      mounts: [
        {
          type: 'bind',
          target: '/dev/pipes/EOF',
          from: { kind: 'inline', files: [{ name: 'EOF', content: '#!/bin/x\na\n', mode: 0o755 }] },
          source: 'EOF',
          readonly: true,
        },
      ],
    },
  ],
];

test.each(ops)('the RUN is lowered: %s', async (_name, text, op) => {
  expect((await planRun(text)).op).toMatchObject(op);
});

const bind = { type: 'bind', from: { kind: 'context', name: 'context' }, source: '', readonly: true };
const cache = { type: 'cache', sharing: 'shared', readonly: false, mode: 0o755, uid: 0, gid: 0 };
const mounts: [flags: string, mounts: object[]][] = [
  ['--mount=target=/m', [{ ...bind, target: '/m' }]],
  ['--mount=type=bind,dst=m,src=/a/../b/,rw', [{ ...bind, target: '/srv/m', source: 'b', readonly: false }]],
  ['--mount=target=$MODE', [{ ...bind, target: '/srv/base' }]],
  ['--mount=from=app,target=/m', [{ ...bind, from: { kind: 'step', source: 0 }, target: '/m' }]],
  ['--mount=from=scratch,target=/m', [{ ...bind, from: { kind: 'inline', files: [] }, target: '/m' }]],
  ['--mount=type=cache,target=/c/', [{ ...cache, target: '/c', id: '/c' }]],
  [
    '--mount=type=cache,target=c,id=x,sharing=locked,mode=0700,uid=1,gid=2,ro',
    [{ ...cache, target: '/srv/c', id: 'x', sharing: 'locked', mode: 0o700, uid: 1, gid: 2, readonly: true }],
  ],
  [
    '--mount=type=cache,target=/c,from=app,source=/s',
    [{ ...cache, target: '/c', id: '/c', from: { kind: 'step', source: 0 }, source: 's' }],
  ],
  ['--mount=type=tmpfs,target=/t', [{ type: 'tmpfs', target: '/t' }]],
  ['--mount=type=tmpfs,target=/t,size=1.5m', [{ type: 'tmpfs', target: '/t', size: 1_572_864 }]],
  [
    '--mount=type=secret,id=a/b',
    [{ type: 'secret', id: 'a/b', target: '/run/secrets/b', required: false, mode: 0o400, uid: 0, gid: 0 }],
  ],
  [
    '--mount=type=secret,target=/x/y,required',
    [{ type: 'secret', id: 'y', target: '/x/y', required: true, mode: 0o400, uid: 0, gid: 0 }],
  ],
  [
    '--mount=type=secret,id=a,env=A',
    [{ type: 'secret', id: 'a', env: 'A', required: false, mode: 0o400, uid: 0, gid: 0 }],
  ],
  [
    '--mount=type=secret,id=a,env=A,target=/f',
    [{ type: 'secret', id: 'a', env: 'A', target: '/f', required: false, mode: 0o400, uid: 0, gid: 0 }],
  ],
  [
    '--mount=type=ssh --mount=type=ssh,id=k,mode=0666',
    [
      { type: 'ssh', id: 'default', target: '/run/buildkit/ssh_agent.0', required: false, mode: 0o600, uid: 0, gid: 0 },
      { type: 'ssh', id: 'k', target: '/run/buildkit/ssh_agent.1', required: false, mode: 0o666, uid: 0, gid: 0 },
    ],
  ],
];

test.each(mounts)('the mount is lowered: %s', async (flags, expected) => {
  expect((await planRun(`FROM app\nRUN ${flags} x`)).op.mounts).toEqual(expected);
});

test('every value of a mount but from expands build arguments, the type too', async () => {
  const text =
    'FROM app\nARG T=cache P=/c M=0700 Y=true\nRUN --mount=type=$T,dst=$P,mode=${M},rw=$Y,id=i$P,sharing=lock${Z:-ed} x';
  expect((await planRun(text)).op.mounts).toEqual([
    { type: 'cache', target: '/c', id: 'i/c', sharing: 'locked', readonly: false, mode: 0o700, uid: 0, gid: 0 },
  ]);
});

test('an ssh mount sets SSH_AUTH_SOCK for the process', async () => {
  const { op } = await planRun('FROM busybox\nRUN --mount=type=ssh,target=/agent x');
  expect(op.env).toEqual(['PATH=/bin', 'SSH_AUTH_SOCK=/agent']);
});

test('cache mounts stay in the requested namespace', async () => {
  const { op } = await planRun('FROM busybox\nRUN --mount=type=cache,target=/c x', {
    buildArgs: { BUILDKIT_CACHE_MOUNT_NS: 'ns' },
  });
  expect(op.mounts).toMatchObject([{ id: 'ns//c' }]);
});

test('RUN gets the host name and the network of the build', async () => {
  const { op } = await planRun('FROM busybox\nRUN x', {
    buildArgs: { BUILDKIT_SANDBOX_HOSTNAME: 'h' },
    network: 'host',
  });
  expect(op).toMatchObject({ hostname: 'h', network: 'host' });
});

const shown: [text: string, createdBy: string, name: string][] = [
  ['FROM busybox\nRUN a \\\n  b', 'RUN /bin/sh -c a   b # buildkit', '[2/2] RUN a   b'],
  ['FROM busybox\nRUN ["a", "b"]', 'RUN a b # buildkit', '[2/2] RUN ["a", "b"]'],
  [
    'FROM busybox\nARG a=1\nARG b\nARG a=2\nRUN x $a $c',
    'RUN |2 a=2 b= /bin/sh -c x $a $c # buildkit',
    '[2/2] RUN x 2 $c',
  ],
  ['FROM busybox AS p\nARG a=1\nFROM p\nRUN x', 'RUN |1 a=1 /bin/sh -c x # buildkit', '[stage-1 1/1] RUN x'],
  ['FROM busybox\nARG a=1\nENV a=2\nRUN x', 'RUN |1 a=2 /bin/sh -c x # buildkit', '[2/2] RUN x'],
  [
    'FROM busybox\nRUN <<EOF\necho a\necho b\nEOF',
    'RUN /bin/sh -c echo a\necho b\n # buildkit',
    '[2/2] RUN <<EOF (echo a...)',
  ],
  [
    'FROM busybox\nRUN --mount=type=secret,id=s,env=S x $S',
    'RUN /bin/sh -c x $S # buildkit',
    '[stage-0 2/2] RUN --mount=type=secret,id=s,env=S x ****',
  ],
];

test.each(shown)('the history and the name of the step %j are those of Docker', async (text, createdBy, name) => {
  expect(await planRun(text)).toMatchObject({ createdBy, name });
});

const refused: [flags: string, message: string][] = [
  ['--mount=type=bind,target=/', 'Invalid mount target "/"'],
  ['--mount=type=bind,target=/,from=$x', 'from'],
  ['--mount=type=${x:-vol},target=/c', 'Unsupported mount type "vol"'],
  ['--mount=type=${x:-bind},target=/c,size=1', "Unexpected key 'size' for mount type 'bind'"],
  ['--mount=type=cache,target=/c,sharing=${x:-lock}', 'Unsupported sharing value "lock"'],
  ['--mount=type=cache,target=/c,mode=${x:-9}', 'Invalid value 9 for mode'],
  ['--mount=type=cache,target=/c,gid=${x:-me}', 'Invalid value me for gid'],
  ['--mount=type=cache,target=/c,readonly=${x:-2}', 'Invalid value for readonly: 2'],
  ['--mount=type=tmpfs,target=/c,size=big', 'Invalid value for size: big'],
  ['--mount=type=secret,id=$x', 'Invalid secret mount, one of source, target required'],
  ['--mount=type=ssh,source=b', 'An ssh mount cannot have "source"'],
];

test.each(refused)('%s is refused', async (flags, message) => {
  await expect(planText(`FROM busybox\nRUN ${flags} x`)).rejects.toMatchObject({
    code: expect.stringMatching(/^DOCKERFILE_/),
    message: expect.stringContaining(message),
    location: { start: { line: 2 } },
  });
});
