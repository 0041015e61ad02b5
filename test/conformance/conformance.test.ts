import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { baseImage } from '../support/base-images.ts';
import { buildContext, good } from '../support/tbuild.ts';
import { listCases, prepareContext } from './case.ts';
import { recordImage } from './image-record.ts';

/** Each case gives the tree, the config and the history that Docker's builder gave when its golden was recorded. */
describe('the same image as Docker', () => {
  test.concurrent.for(listCases().map((one) => [one.name, one] as const))('%s', async ([, one]) => {
    const golden = JSON.parse(readFileSync(one.golden, 'utf8'));
    const context = prepareContext(one);
    const build = await buildContext(context, { args: one.args, images: one.images, cwd: context });
    if ('fails' in golden) {
      expect(build.exitCode, build.stderr).toBe(1);
      return;
    }
    good(build);
    const options = { bases: one.images.map(baseImage), anyContent: one.anyContent };
    expect(recordImage(build.image(), options)).toEqual(golden);
  });
});
