import { expect, test } from 'vitest';
import { planText } from '../../test/plan-text.ts';
import type { PlanOptions } from '../plan.ts';

const JSON_ARGS = 'JSON arguments recommended for CMD to prevent unintended behavior related to OS signals';
const DESCRIPTION = 'Comment for FROM should follow the format: `# a <description>`';

function ignored(verb: string, path: string): string {
  return `2 CopyIgnoredFile: Attempting to ${verb} file "${path}" that is excluded by .dockerignore`;
}

const shelled: PlanOptions['resolveImage'] = ({ reference, platform }) =>
  Promise.resolve({
    reference,
    source: { kind: 'registry' },
    manifest: `sha256:${'0'.repeat(64)}`,
    config: { platform, config: { Shell: ['/bin/bash', '-c'] }, diffIds: [], history: [] },
  });

const found: [text: string, warnings: string[], options?: Partial<PlanOptions>][] = [
  ['FROM busybox\nCOPY $foo .', ["2 UndefinedVar: Usage of undefined variable '$foo'"]],
  [
    'FROM busybox\nENV food=1\nCOPY $foo .',
    ["3 UndefinedVar: Usage of undefined variable '$foo' (did you mean $food?)"],
  ],
  ['FROM busybox\nARG foo\nCOPY $foo .', []],
  ['FROM busybox\nRUN echo $foo', []],
  ['FROM busybox\nWORKDIR /${foo:-a}', ["2 UndefinedVar: Usage of undefined variable '$foo'"]],
  [
    'FROM busybox\nWORKDIR a\nWORKDIR b',
    ['2 WorkdirRelativePath: Relative workdir "a" can have unexpected results if the base image changes'],
  ],
  ['FROM busybox\nWORKDIR /a\nWORKDIR b', []],
  [
    `FROM busybox\nWORKDIR 'a"ä'`,
    ['2 WorkdirRelativePath: Relative workdir "a\\"ä" can have unexpected results if the base image changes'],
  ],
  ['FROM busybox AS a\nWORKDIR /a\nFROM a\nWORKDIR b', []],
  [
    'FROM busybox\nARG API_TOKEN PUBLIC_KEY KEYBOARD',
    ['2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG "API_TOKEN")'],
  ],
  [
    'FROM busybox\nENV DB_PSW=x TOKEN_FILE=y PSWS=z',
    ['2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "DB_PSW")'],
  ],
  [
    'FROM busybox\nENV password=x',
    ['2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "password")'],
  ],
  [
    'FROM busybox\nEXPOSE 80/TCP',
    ["2 ExposeProtoCasing: Defined protocol '80/TCP' in EXPOSE instruction should be lowercase"],
  ],
  [
    'FROM busybox\nEXPOSE 8080:80',
    ["2 ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port mapping, found '8080:80'"],
  ],
  [
    'FROM --platform=$TARGETPLATFORM busybox',
    [
      '1 RedundantTargetPlatform: Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
    ],
  ],
  [
    'FROM --platform=linux/amd64 busybox',
    ['1 FromPlatformFlagConstDisallowed: FROM --platform flag should not use constant value "linux/amd64"'],
  ],
  ['FROM --platform=linux/amd64 busybox AS build-amd64', []],
  ['FROM --platform=$BUILDPLATFORM busybox', []],
  ['ARG V\nFROM busybox$V', []],
  ['ARG TAG\nFROM busybox$TAGS', ["2 UndefinedArgInFrom: FROM argument 'TAGS' is not declared (did you mean TAG?)"]],
  [
    'ARG V\nFROM $V',
    ['2 InvalidDefaultArgInFrom: Default value for ARG $V results in empty or invalid base image name'],
    { buildArgs: { V: 'busybox' } },
  ],
  ['# check=skip=UndefinedVar\nFROM busybox\nCOPY $foo .', []],
  [
    'FROM busybox\n# check=skip=UndefinedVar\nCOPY $foo .\nCOPY $bar .',
    ["4 UndefinedVar: Usage of undefined variable '$bar'"],
  ],
  ['FROM busybox\nCOPY $foo .', [], { buildArgs: { BUILDKIT_DOCKERFILE_CHECK: 'skip=all' } }],
  ['FROM busybox\nCOPY gone .', [ignored('Copy', 'gone')], { isIgnored: (path) => path === 'gone' }],
  ['FROM busybox\nADD ./gone/ .', [ignored('Add', 'gone')], { isIgnored: (path) => path === 'gone' }],
  ['FROM busybox\nCOPY --from=app gone .', [], { isIgnored: () => true }],
  ['FROM busybox\nADD https://example.org/gone .', [], { isIgnored: () => true }],
  ['FROM busybox\nSHELL ["/bin/ash", "-c"]\nCMD echo', []],
  ['FROM shelled\nCMD echo', [], { resolveImage: shelled }],
  ['FROM busybox\nCMD echo', [`2 JSONArgsRecommended: ${JSON_ARGS}`]],
  ['FROM busybox AS unneeded\nCMD echo\nENV a b\nFROM busybox', []],
  [
    'FROM busybox AS unneeded\nENV a b\nFROM busybox',
    ['2 LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format'],
    { allStages: true },
  ],
  [
    'FROM busybox\nHEALTHCHECK NONE\nHEALTHCHECK NONE',
    [
      '2 MultipleInstructionsDisallowed: Multiple HEALTHCHECK instructions should not be used in the same stage because only the last one will be used',
    ],
  ],
  ['FROM busybox AS a\nCMD ["x"]\nFROM a\nCMD ["y"]', []],
  ['# check=experimental=all\n# x\nFROM busybox AS a', [`3 InvalidDefinitionDescription: ${DESCRIPTION}`]],
  ['# check=skip=all;experimental=all\n# x\nFROM busybox AS a', [`3 InvalidDefinitionDescription: ${DESCRIPTION}`]],
  ['# x\nFROM busybox AS a', []],
];

test.each(found)('checking %j warns %j', async (text, expected, options) => {
  const { plan } = await planText(text, options);
  expect(plan.warnings.map(({ rule, message, location }) => `${location.start.line} ${rule}: ${message}`)).toEqual(
    expected,
  );
});

const tokens: [text: string, underlined: string][] = [
  ['FROM busybox AS Web', 'Web'],
  ['FROM busybox as base', 'as'],
  ['FROM busybox\nwORKDIR /a', 'wORKDIR'],
  ['FROM busybox\nCOPY --chmod=644 \\\n  a $foo', '$foo'],
  ['FROM busybox\nENV a=1 my_password=x', 'my_password'],
  ['FROM busybox\nWORKDIR here', 'here'],
  ['FROM busybox\nEXPOSE 80 81/TCP', '81/TCP'],
  ['FROM --platform=linux/amd64 busybox', 'linux/amd64'],
  ['FROM busybox\nCMD echo', 'CMD'],
  ['FROM busybox\nLABEL key value', 'key'],
];

test.each(tokens)('the warning about %j underlines %j', async (text, underlined) => {
  const { plan } = await planText(text);
  const { start, end } = plan.warnings[0]?.token ?? { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };
  expect(plan.warnings).toHaveLength(1);
  expect(start.line).toBe(end.line);
  expect(text.split('\n')[start.line - 1]?.slice(start.column - 1, end.column - 1)).toBe(underlined);
});

test('broken rules are listed if they fail the build', async () => {
  const text = 'FROM busybox AS Web\nCOPY $foo .';
  expect((await planText(text)).plan.violations).toEqual([]);
  const { plan } = await planText(`# check=error=true\n${text}`);
  expect(plan.violations).toEqual(['StageNameCasing', 'UndefinedVar']);
});

test('a base image for another platform is reported', async () => {
  const { plan } = await planText('FROM busybox', {
    resolveImage: () =>
      Promise.resolve({
        reference: 'busybox',
        source: { kind: 'registry' },
        manifest: `sha256:${'0'.repeat(64)}`,
        config: { platform: { os: 'linux', architecture: 'arm64' }, config: {}, diffIds: [], history: [] },
      }),
  });
  expect(plan.warnings).toMatchObject([
    {
      rule: 'InvalidBaseImagePlatform',
      message: 'Base image busybox was pulled with platform "linux/arm64", expected "linux/amd64" for current build',
      url: 'https://docs.docker.com/go/dockerfile/rule/invalid-base-image-platform/',
    },
  ]);
});
