import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { baseImage } from '../support/base-images.ts';
import { builders } from '../support/builders.ts';
import { buildContext, good } from '../support/tbuild.ts';
import { listCases, prepareContext } from './case.ts';
import { recordImage } from './image-record.ts';

/** What an ordinary user's namespace could do otherwise. */
const PRIVILEGED = /^(run|mount|user)\//;

/** A user namespace has no device nodes, and only the ids assigned to the user. */
const IMPOSSIBLE: readonly string[] = ['run/big-ids', 'run/links-and-devices'];

/** Each case must give the tree, config and history that Docker's builder gave when its golden was recorded. */
describe.each(builders)('the same image as Docker, built by $who', ({ asUser }) => {
  const cases = listCases().filter(({ name }) => !asUser || (PRIVILEGED.test(name) && !IMPOSSIBLE.includes(name)));
  test.concurrent.for(cases.map((one) => [one.name, one] as const))('%s', async ([, one]) => {
    const golden = JSON.parse(readFileSync(one.golden, 'utf8'));
    const context = prepareContext(one);
    const build = await buildContext(context, { args: one.args, images: one.images, cwd: context, asUser });
    if ('fails' in golden) {
      expect(build.exitCode, build.stderr).toBe(1);
      return;
    }
    good(build);
    const options = { bases: one.images.map(baseImage), anyContent: one.anyContent };
    expect(recordImage(build.image(), options)).toEqual(golden);
  });
});
