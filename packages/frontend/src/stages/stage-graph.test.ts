import { expect, test } from 'vitest';
import { planText } from '../../test/plan-text.ts';
import type { PlanOptions } from '../plan.ts';

function at(line: number, column: number): object {
  return expect.objectContaining({ start: { line, column } });
}

const stages = 'FROM busybox AS base\nRUN base\nFROM busybox AS Test\nRUN test\nFROM base\nRUN last';
const targets: [target: string | undefined, commands: string[]][] = [
  [undefined, ['base', 'last']],
  ['', ['base', 'last']],
  ['base', ['base']],
  ['TEST', ['test']],
];

test.each(targets)('the target %j needs the steps %j', async (target, commands) => {
  const { steps } = await planText(stages, { target });
  expect(steps.flatMap(({ op }) => (op.kind === 'run' ? [op.args.at(-1)] : []))).toEqual(commands);
});

test('only images of needed stages are requested, once each', async () => {
  const text =
    'FROM busybox AS a\nFROM missing AS b\nFROM busybox AS c\nCOPY --from=app / /\nCOPY --from=a / /\nRUN --mount=from=app,target=/m x';
  const { requests } = await planText(text);
  expect(requests.map(({ reference }) => reference).sort()).toEqual(['app', 'busybox']);
});

const refused: [name: string, text: string, options: Partial<PlanOptions>, error: object][] = [
  [
    'an image for Windows',
    'FROM scratch\nCOPY a /a',
    { platform: { os: 'windows', architecture: 'amd64' } },
    { code: 'UNSUPPORTED', message: expect.stringContaining('Cannot build stage "stage-0" for windows/amd64') },
  ],
  [
    'a stage for Windows',
    'FROM --platform=windows/amd64 busybox AS w\nFROM w\nRUN x',
    {},
    { code: 'UNSUPPORTED', message: expect.stringContaining('Cannot build stage "w" for windows/amd64') },
  ],
  [
    'an unknown target',
    stages,
    { target: 'tset' },
    { message: 'Target stage "tset" could not be found', hint: 'Did you mean "test"?' },
  ],
  [
    'an index as target',
    stages,
    { target: '0' },
    { message: 'Target stage "0" could not be found', hint: 'Use one of base, test' },
  ],
  ['a blank base', 'FROM $x', {}, { message: 'Base name ($x) should not be blank', location: at(1, 6) }],
  [
    'a stage that reads itself',
    'FROM busybox AS a\nCOPY --from=a / /',
    {},
    {
      message: 'Circular dependency detected on stage: a',
      location: at(2, 13),
    },
  ],
  [
    'a cycle',
    'FROM busybox AS a\nCOPY --from=b / /\nFROM busybox AS b\nCOPY --from=a / /',
    {},
    {
      message: 'Circular dependency detected on stage: a',
      location: at(4, 13),
    },
  ],
  [
    'a later stage',
    'FROM busybox AS a\nCOPY --from=b / /\nFROM busybox AS b',
    { target: 'a' },
    {
      message: 'Cannot copy from stage "b", it needs to be defined before current stage "a"',
      location: at(2, 13),
    },
  ],
  [
    'an index that is no stage',
    'FROM busybox\nCOPY --from=3 / /',
    {},
    { message: 'Invalid stage index 3', location: at(2, 13) },
  ],
  ['a platform', 'FROM --platform=linux/a/b/c busybox', {}, { location: at(1, 17) }],
  [
    'a blank platform',
    'FROM --platform=$TARGETPLATFROM busybox',
    {},
    {
      message:
        'Failed to parse platform : "" is an invalid component of "": "$TARGETPLATFROM" is blank after expansion',
      hint: 'Did you mean "TARGETPLATFORM"?',
      location: at(1, 17),
    },
  ],
  [
    'a variable that must be set',
    'ARG v\nFROM ${v:?none}',
    {},
    {
      message: expect.stringContaining('none'),
      location: at(2, 6),
    },
  ],
];

test.each(refused)('%s is refused', async (_name, text, options, error) => {
  await expect(planText(text, options)).rejects.toMatchObject({ code: 'DOCKERFILE_SEMANTICS', ...error });
});

test('an unknown name is refused with the nearest stage as a hint', async () => {
  const text = 'FROM busybox AS build\nFROM busybox\nCOPY --from=biuld / /';
  await expect(planText(text)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    hint: 'Did you mean "build"?',
    location: at(3, 13),
  });
  await expect(planText('FROM nothing')).rejects.toMatchObject({ code: 'NOT_FOUND', location: at(1, 6) });
});

test('an unneeded stage may read from a later one', async () => {
  const text = 'FROM busybox AS a\nCOPY --from=b / /\nFROM busybox AS b';
  expect((await planText(text)).steps).toHaveLength(1);
});

test('COPY reads from the last stage of a name, FROM from the last one before it', async () => {
  const text = 'FROM busybox AS a\nRUN 1\nFROM a AS a\nRUN 2\nFROM scratch\nCOPY --from=A / /\nCOPY --from=0 / /';
  const { steps } = await planText(text);
  const runs = steps.filter(({ op }) => op.kind === 'run');
  const copies = steps.filter(({ op }) => op.kind === 'copy');
  expect(copies.map(({ sources }) => sources)).toEqual([[runs[1]?.id], [runs[0]?.id]]);
  expect(runs[1]?.base).toBe(runs[0]?.id);
});

test('each stage has its platform', async () => {
  const arm = { os: 'linux', architecture: 'arm64' };
  const text =
    'FROM --platform=$BUILDPLATFORM busybox AS a\nRUN 1\nFROM a AS b\nRUN 2\nFROM busybox\nCOPY --from=b / /\nRUN 3';
  const { steps, requests, plan } = await planText(text, { platform: arm });
  const platforms = steps.flatMap(({ op }) => (op.kind === 'run' ? [op.platform.architecture] : []));
  expect(platforms).toEqual(['amd64', 'amd64', 'arm64']);
  expect(requests.map(({ platform }) => platform.architecture).sort()).toEqual(['amd64', 'arm64']);
  expect(plan.platform).toEqual(arm);
});

test('without --platform the image has the platform of its base', async () => {
  const text = 'FROM --platform=linux/arm64 busybox AS a\nFROM a';
  const platforms = [{}, { implicitPlatform: true }].map(
    async (options) => (await planText(text, options)).plan.platform.architecture,
  );
  expect(await Promise.all(platforms)).toEqual(['amd64', 'arm64']);
});

const contexts: [name: string, text: string, contexts: PlanOptions['contexts'], ops: object[]][] = [
  [
    'an image for an image',
    'FROM alpine',
    { 'docker.io/library/alpine:latest': { kind: 'image', reference: 'busybox' } },
    [{ kind: 'image', reference: expect.stringContaining('busybox') }],
  ],
  [
    'a layout for an image',
    'FROM alpine:1',
    { 'alpine:1': { kind: 'layout', path: '/l', reference: 'busybox' } },
    [{ kind: 'image', source: { kind: 'layout', path: '/l' } }],
  ],
  [
    'nothing for an image',
    'FROM alpine\nCOPY a b',
    { alpine: { kind: 'image', reference: 'scratch' } },
    [{ kind: 'copy' }],
  ],
  [
    'files for an image',
    'FROM alpine',
    { alpine: { kind: 'files', context: 'x' } },
    [{ kind: 'copy', from: { kind: 'context', name: 'x' }, sources: [''], destination: '/' }],
  ],
  [
    'an image for a stage',
    'FROM nothing AS a\nRUN x\nFROM a\nRUN y',
    { a: { kind: 'image', reference: 'busybox' } },
    [{ kind: 'image' }, { kind: 'run', args: ['/bin/sh', '-c', 'y'] }],
  ],
  [
    'files for COPY',
    'FROM scratch\nCOPY --from=src a b',
    { src: { kind: 'files', context: 'x' } },
    [{ kind: 'copy', from: { kind: 'context', name: 'x' }, sources: ['a'], keepOwner: false }],
  ],
  [
    'for one platform',
    'FROM alpine',
    { alpine: { kind: 'files', context: 'x' }, 'alpine::linux/amd64': { kind: 'image', reference: 'busybox' } },
    [{ kind: 'image' }],
  ],
  [
    'not for scratch',
    'FROM scratch\nCOPY a b',
    { scratch: { kind: 'image', reference: 'busybox' } },
    [{ kind: 'copy' }],
  ],
];

test.each(contexts)('a named context is used: %s', async (_name, text, named, ops) => {
  const { steps } = await planText(text, { contexts: named });
  expect(steps.map(({ op }) => op)).toMatchObject(ops);
});
