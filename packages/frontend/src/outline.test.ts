import { parseDockerfile } from '@tbuild/dockerfile';
import { expect, test } from 'vitest';
import { planText } from '../test/plan-text.ts';
import { outlineDockerfile, type Outline } from './outline.ts';
import { listTargets } from './stages/targets.ts';

const platform = { os: 'linux', architecture: 'amd64' };

async function outline(
  text: string,
  options: { target?: string; buildArgs?: Record<string, string> } = {},
): Promise<Outline> {
  const { plan } = await planText(text, options);
  return outlineDockerfile(parseDockerfile(text), {
    platform,
    buildPlatform: platform,
    buildArgs: {},
    contexts: {},
    declared: plan,
    ...options,
  });
}

const args: [text: string, expected: string[], buildArgs?: Record<string, string>][] = [
  ['FROM busybox\nARG A=1\nARG B', ['2 A=1', '3 B=']],
  ['FROM busybox\nARG A=1', ['2 A=2'], { A: '2' }],
  ['FROM busybox\n# A what it is\nARG A=1', ['3 A=1 what it is']],
  ['FROM busybox\n# about A\nARG A=1', ['3 A=1']],
  ['ARG TAG=1\nARG UNUSED\nARG IMAGE=busybox\nFROM ${IMAGE}', ['3 IMAGE=busybox']],
  ['ARG V=1\nARG IMAGE=busybox\nFROM $IMAGE\nARG V', ['1 V=1', '2 IMAGE=busybox']],
  ['ARG NAME=busybox\nARG IMAGE=${NAME}\nFROM $IMAGE', ['1 NAME=busybox', '2 IMAGE=busybox']],
  ['FROM busybox AS a\nARG A=1\nFROM busybox AS b\nARG B=1', ['4 B=1']],
  ['FROM busybox AS a\nARG A=1\nFROM busybox\nCOPY --from=a / /\nARG B=$A-', ['2 A=1', '5 B=-']],
  ['FROM busybox AS a\nARG A=1\nFROM a\nARG B=${A}2', ['2 A=1', '4 B=12']],
  ['FROM busybox\nARG TARGETARCH', []],
  ['FROM busybox\nARG A=1\nARG A=2', ['3 A=2']],
  ['FROM busybox AS a\nARG A=1\nFROM busybox AS b\nARG A=2\nFROM a\nCOPY --from=b / /\nARG A=3', ['7 A=3']],
  ['FROM busybox AS b\nARG A=2\nFROM busybox AS a\nARG A=1\nFROM a\nCOPY --from=b / /', ['4 A=1']],
];

test.each(args)('the arguments of %j are %j', async (text, expected, buildArgs = {}) => {
  const found = await outline(text, { buildArgs });
  const shown = found.args.map(({ name, value, description, location }) =>
    `${location.start.line} ${name}=${value} ${description ?? ''}`.trimEnd(),
  );
  expect(shown).toEqual(expected);
});

test('secrets and agents are listed once each', async () => {
  const text = `# app the program
FROM busybox AS app
RUN --mount=type=secret,id=token --mount=type=ssh true
RUN --mount=type=secret,target=/run/key,required=true --mount=type=secret,id=token,required=true true`;
  const { name, description, secrets, ssh } = await outline(text);
  expect({ name, description }).toEqual({ name: 'app', description: 'the program' });
  expect(secrets.map(({ name, required }) => [name, required])).toEqual([
    ['token', false],
    ['key', true],
  ]);
  expect(ssh.map(({ name, required }) => [name, required])).toEqual([['default', false]]);
});

test('secrets have the names that arguments give them, and count in the own stage first', async () => {
  const text = `FROM busybox AS a
RUN --mount=type=secret,id=own,required true
FROM busybox
COPY --from=a / /
ARG BAR=1 T=secret
RUN --mount=type=secret,id=s\${BAR} --mount=type=$T,id=own true`;
  const { secrets } = await outline(text);
  expect(secrets.map(({ name, required, location }) => [name, required, location.start.line])).toEqual([
    ['s1', false, 6],
    ['own', false, 6],
  ]);
});

test('targets are listed as written', () => {
  const text = 'ARG V=1\n# build makes it\nFROM --platform=$BUILDPLATFORM golang:$V AS Build\nFROM build';
  expect(listTargets(parseDockerfile(text))).toMatchObject([
    { name: 'build', default: false, description: 'makes it', base: 'golang:$V', platform: '$BUILDPLATFORM' },
    { name: undefined, default: true, description: undefined, base: 'build', platform: undefined },
  ]);
});
