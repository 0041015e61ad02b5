import { ruleNames } from '@tbuild/dockerfile';
import { rulePage } from '@tbuild/dockerfile/rule-pages';
import { digestOf } from '@tbuild/oci';
import { describe, expect, test } from 'vitest';
import { planText } from '../../test/plan-text.ts';
import type { PlanOptions } from '../plan.ts';

/** The preconditions that the pages state. */
const given: Partial<PlanOptions> = {
  buildArgs: { TAG: 'latest' },
  isIgnored: (path) => path === 'build' || path.startsWith('build/'),
  resolveImage: ({ reference, platform }) =>
    Promise.resolve({
      reference,
      source: { kind: 'registry' },
      manifest: digestOf(reference),
      config: {
        platform: reference === 'arm-only' ? { os: 'linux', architecture: 'arm64' } : platform,
        config: { Env: ['PATH=/bin'] },
        diffIds: [digestOf(reference)],
        history: [],
      },
    }),
};

async function rulesIn(text: string): Promise<readonly string[]> {
  const { plan } = await planText(text, given);
  return plan.warnings.map(({ rule }) => rule);
}

describe('the examples on the rule page behave as described:', () => {
  test.each(ruleNames())('%s', async (name) => {
    const { what, why, bad, good } = rulePage(name);
    expect(new Set(await rulesIn(bad))).toEqual(new Set([name]));
    expect(await rulesIn(good)).toEqual([]);
    expect(Math.max(...`${what}\n${why}`.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  });
});

test('Docker has 22 rules', () => {
  expect(ruleNames()).toHaveLength(22);
});

test.each(ruleNames())('%s is silenced by the file, by an instruction, and by a build argument', async (name) => {
  const { bad } = rulePage(name);
  const [, directive = '', rest = bad] = /^(# check=[^\n]*)\n([^]*)$/.exec(bad) ?? [];
  const silenced = directive === '' ? `# check=skip=${name}` : `${directive};skip=${name}`;
  expect(await rulesIn(`${silenced}\n${rest}`)).toEqual([]);
  expect(
    await rulesIn(
      `${directive === '' ? '' : `${directive}\n\n`}${rest.replaceAll(/^(?=[A-Za-z])/gm, `# check=skip=${name}\n`)}`,
    ),
  ).toEqual([]);
  const buildArgs = { ...given.buildArgs, BUILDKIT_DOCKERFILE_CHECK: 'skip=all' };
  expect((await planText(bad, { ...given, buildArgs })).plan.warnings).toEqual([]);
});
