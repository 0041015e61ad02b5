import { GraphBuilder } from '@tbuild/graph';
import { expect, test } from 'vitest';
import { planText } from '../test/plan-text.ts';
import type { PlanOptions } from './plan.ts';

const names: [name: string, text: string, options: Partial<PlanOptions>, names: string[]][] = [
  [
    'one stage',
    'FROM busybox\nENV a=1\nWORKDIR /w\nCOPY . .\nRUN x',
    {},
    ['[1/4] FROM docker.io/library/busybox:latest@sha256', '[2/4] WORKDIR /w', '[3/4] COPY . .', '[4/4] RUN x'],
  ],
  ['from scratch', 'FROM scratch\nCOPY . .\nCOPY a b', {}, ['[1/2] COPY . .', '[2/2] COPY a b']],
  [
    'a stage on a stage',
    'FROM busybox AS a\nFROM a\nRUN x',
    {},
    ['[a 1/1] FROM docker.io/library/busybox:latest@sha256', '[stage-1 1/1] RUN x'],
  ],
  [
    'copied from an image',
    'FROM scratch\nCOPY --from=busybox a b',
    {},
    ['FROM docker.io/library/busybox:latest@sha256', '[stage-0 1/1] COPY --from=busybox a b'],
  ],
  [
    'triggers',
    'FROM trigger\nRUN x',
    {},
    [
      '[1/5] FROM docker.io/library/trigger:latest@sha256',
      '[2/5] ONBUILD COPY . /src',
      '[3/5] ONBUILD RUN make',
      '[4/5] RUN x',
    ],
  ],
  [
    'a platform',
    'FROM busybox\nRUN x',
    { showPlatform: true },
    ['[linux/amd64 1/2] FROM docker.io/library/busybox:latest@sha256', '[linux/amd64 2/2] RUN x'],
  ],
];

test.each(names)('steps are named as in buildx: %s', async (_name, text, options, expected) => {
  const { steps } = await planText(text, options);
  expect(steps.map(({ name }) => name.replace(/:[0-9a-f]{64}$/, ''))).toEqual(expected);
});

test('a chain of steps has its history', async () => {
  const { plan, steps } = await planText('FROM busybox\nWORKDIR a\nENV x=1\nRUN b\nWORKDIR /\nMAINTAINER me');
  const [image, mkdir, run] = steps;
  expect(mkdir).toMatchObject({ base: image?.id, op: { kind: 'mkdir', path: '/a', mode: 0o755, user: '' } });
  expect(run?.base).toBe(mkdir?.id);
  expect(plan).toMatchObject({
    target: run?.id,
    author: 'me',
    base: { step: image?.id, diffIds: [expect.any(String)] },
  });
  expect(plan.base?.history).toEqual([{ created: '2026-01-01T00:00:00Z', created_by: 'base' }]);
  expect(plan.history).toEqual([
    { createdBy: 'WORKDIR /a', step: mkdir?.id },
    { createdBy: 'ENV x=1' },
    { createdBy: 'RUN /bin/sh -c b # buildkit', step: run?.id },
    { createdBy: 'WORKDIR /' },
    { createdBy: 'MAINTAINER me' },
  ]);
});

test('WORKDIR makes directories as the current user, below the current directory', async () => {
  const { plan, steps } = await planText('FROM app\nWORKDIR a/../b/\nWORKDIR ${x:-c}\nUSER 1:2\nWORKDIR ../d');
  expect(steps.slice(1).map(({ op }) => op)).toMatchObject([
    { path: '/srv/b', user: 'app' },
    { path: '/srv/b/c', user: 'app' },
    { path: '/srv/b/d', user: '1:2' },
  ]);
  expect(plan.config.WorkingDir).toBe('/srv/b/d');
});

test('an image without steps has no result', async () => {
  const { plan, steps } = await planText('FROM scratch\nENV a=1');
  expect(steps).toEqual([]);
  expect(plan.target).toBeUndefined();
  expect(plan.base).toBeUndefined();
  expect(plan.history).toEqual([{ createdBy: 'ENV a=1' }]);
});

test('triggers of an image run after FROM and are removed from the config', async () => {
  const { plan } = await planText('FROM trigger\nRUN x');
  expect(plan.history.map(({ createdBy }) => createdBy)).toEqual([
    'COPY . /src # buildkit',
    'RUN /bin/sh -c make # buildkit',
    'ENV BUILT=1',
    'RUN /bin/sh -c x # buildkit',
  ]);
  expect(plan.config.OnBuild).toBeUndefined();
  expect(plan.config.Env).toContain('BUILT=1');
});

test('triggers of a stage run in the stages based on it, but not in theirs', async () => {
  const text = 'FROM busybox AS a\nONBUILD ENV x=1\nONBUILD ENV y=$x\nFROM a AS b\nRUN b\nFROM b\nRUN c';
  const { plan } = await planText(text);
  expect(plan.history.map(({ createdBy }) => createdBy)).toEqual([
    'ENV x=1',
    'ENV y=1',
    'RUN /bin/sh -c b # buildkit',
    'RUN /bin/sh -c c # buildkit',
  ]);
  expect((await planText(text, { target: 'a' })).plan.config.OnBuild).toEqual(['ENV x=1', 'ENV y=$x']);
});

test('a trigger may need a stage or an image', async () => {
  const { steps } = await planText('FROM busybox AS tools\nRUN t\nFROM trigger-from\nRUN x');
  const [tools] = steps.filter(({ op }) => op.kind === 'run');
  expect(steps.find(({ op }) => op.kind === 'copy')?.sources).toEqual([tools?.id]);
});

test('a trigger that is not an instruction is refused', async () => {
  const text = 'FROM busybox AS a\nONBUILD ADD\nFROM a';
  await expect(planText(text)).rejects.toMatchObject({ code: 'DOCKERFILE_SYNTAX' });
  const later = 'FROM busybox AS a\nONBUILD USER ${u:?who}\nFROM a';
  await expect(planText(later)).rejects.toMatchObject({ location: { start: { line: 3, column: 1 } } });
});

const noCaches: [noCache: PlanOptions['noCache'], commands: string[]][] = [
  [false, []],
  [true, ['a', 'b']],
  [['A'], ['a']],
];

test.each(noCaches)('--no-cache applies to %j', async (noCache, commands) => {
  const { steps } = await planText('FROM busybox AS a\nRUN a\nFROM busybox\nCOPY --from=a / /\nRUN b', { noCache });
  const rerun = steps.filter((step) => step.noCache).flatMap(({ op }) => (op.kind === 'run' ? [op.args.at(-1)] : []));
  expect(rerun).toEqual(commands);
});

test('proxies are part of a step only if they are declared', async () => {
  const buildArgs = { HTTP_PROXY: 'http://p' };
  const { plan, steps } = await planText('FROM busybox\nRUN x', { buildArgs });
  const without = await planText('FROM busybox\nRUN x');
  expect(steps).toEqual(without.steps);
  expect(plan.proxyEnv).toEqual(['HTTP_PROXY=http://p', 'http_proxy=http://p']);
  const declared = await planText('FROM busybox\nARG HTTP_PROXY\nRUN x', { buildArgs });
  expect(declared.steps.at(-1)?.op).toMatchObject({ env: ['PATH=/bin', 'HTTP_PROXY=http://p'] });
});

test('plans of two platforms share the steps that do not depend on the platform', async () => {
  const graph = new GraphBuilder();
  const text = 'FROM --platform=$BUILDPLATFORM busybox AS a\nRUN make\nFROM busybox\nCOPY --from=a / /';
  const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }));
  const plans = [];
  for (const platform of platforms) plans.push((await planText(text, { graph, platform })).plan);
  const { steps } = graph.build(plans.flatMap(({ target }) => (target === undefined ? [] : [target])));
  const count = (kind: string) => [...steps.values()].filter(({ op }) => op.kind === kind).length;
  expect([count('run'), count('image'), count('copy')]).toEqual([1, 2, 2]);
});

test('an abort reaches the requests, and one failure ends the others', async () => {
  const signals: AbortSignal[] = [];
  const resolveImage: PlanOptions['resolveImage'] = (request, signal) => {
    signals.push(signal);
    if (request.reference === 'bad') return Promise.reject(new Error('refused'));
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  };
  await expect(planText('FROM slow AS a\nFROM bad\nCOPY --from=a / /', { resolveImage })).rejects.toThrow('refused');
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
});

const COUNT = 40_000;
const lines = (line: (index: number) => string): string =>
  Array.from({ length: COUNT }, (_, at) => line(at)).join('\n');

// Copying or searching everything before each line would take minutes.
test.each([
  ['LABEL', (at: number) => `LABEL a${at}=b`, { Labels: expect.objectContaining({ [`a${COUNT - 1}`]: 'b' }) }],
  ['ENV', (at: number) => `ENV a${at}=b`, { Env: expect.arrayContaining([`a${COUNT - 1}=b`]) }],
  ['ENV of the one before', (at: number) => `ENV a${at}=$a${at - 1}`, {}],
  ['VOLUME', (at: number) => `VOLUME /v${at}`, { Volumes: expect.objectContaining({ [`/v${COUNT - 1}`]: {} }) }],
  ['EXPOSE', (at: number) => `EXPOSE ${1 + at}`, { ExposedPorts: expect.objectContaining({ '1/tcp': {} }) }],
  ['ARG', (at: number) => `ARG a${at}=b`, {}],
  ['CMD', (at: number) => `CMD ["a${at}"]`, { Cmd: [`a${COUNT - 1}`] }],
])('40,000 lines of %s are planned', async (_name, line, config) => {
  const { plan } = await planText(`FROM busybox\n${lines(line)}\n`);
  expect(plan.config).toMatchObject(config);
  expect(plan.history).toHaveLength(COUNT);
});

test('40,000 global ARGs are planned', async () => {
  const { plan } = await planText(
    `${lines((at) => `ARG a${at}=b`)}\nFROM busybox\nARG a${COUNT - 1}\nENV c=$a${COUNT - 1}\n`,
  );
  expect(plan.config.Env).toContain('c=b');
});

test('10,000 stages that are based on each other, or copy from each other, are planned', async () => {
  const count = 10_000;
  const chain = (line: (at: number) => string): string => Array.from({ length: count }, (_, at) => line(at)).join('\n');
  const on = await planText(`FROM busybox AS s0\n${chain((at) => `FROM s${at} AS s${at + 1}`)}\n`);
  expect(on.plan.target).toBeDefined();
  const from = `FROM busybox AS s0\n${chain((at) => `FROM busybox AS s${at + 1}\nCOPY --from=s${at} a b`)}\n`;
  expect((await planText(from)).steps).toHaveLength(count + 1);
});
