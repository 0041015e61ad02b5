import { bake, BuildError, type BakeDefinition, type ProgressEvent } from '@tbuild/api';
import { expect, test } from 'vitest';
import { bakeDirectory } from '../../support/bake.ts';
import { baseImage } from '../../support/base-images.ts';
import { storeOptions } from '../../support/call-tbuild.ts';

const busybox = (): string => `oci-layout://${baseImage('busybox')}`;

function definition(): BakeDefinition {
  const context = bakeDirectory({
    'base/Dockerfile': 'FROM busybox\nRUN echo base > /base\n',
    'a/Dockerfile': 'FROM base\nRUN --mount=type=secret,id=s cp /run/secrets/s /secret\n',
    'b/Dockerfile': 'FROM base\nRUN echo b > /b\n',
  });
  return {
    targets: {
      base: { context: `${context}/base`, contexts: { busybox: busybox() } },
      a: { context: `${context}/a`, contexts: { base: 'target:base' }, tags: ['program/a'] },
      b: { context: `${context}/b`, contexts: { base: 'target:base' }, labels: { l: 'm' } },
    },
    only: ['a', 'b'],
  };
}

test('bake() builds targets as one and returns the answer of each', async () => {
  const names: string[] = [];
  const onEvent = (event: ProgressEvent): void => {
    if (event.type === 'planned') names.push(...event.steps.map(({ name }) => name));
  };
  const answers = await bake(definition(), { ...storeOptions(), secrets: { s: 'value' }, onEvent });
  expect(Object.keys(answers)).toEqual(['a', 'b']);
  expect(answers.a?.names).toEqual(['docker.io/program/a:latest']);
  expect(answers.b?.metadata).toMatchObject({ 'containerimage.config.digest': answers.b?.id });
  expect(names.filter((name) => name.includes('RUN echo base'))).toHaveLength(1);
});

test.each([
  [{ only: ['c'] }, 'No target has the name "c"'],
  [{ targets: {} }, 'Field "targets" must be an object with a target'],
  [{ targets: { a: { context: '.', tag: ['x'] } } }, 'Unknown field "targets.a.tag"'],
  [{ targets: { 'a b': { context: '.' } } }, 'must be letters, digits'],
])('bake() refuses %j', async (change, message) => {
  const wrong = { ...definition(), ...change } as BakeDefinition;
  const error: unknown = await bake(wrong, storeOptions()).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BuildError);
  expect(error).toMatchObject({ code: 'USAGE', message: expect.stringContaining(message) });
});
