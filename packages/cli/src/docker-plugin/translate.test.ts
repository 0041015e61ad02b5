import { expect, test } from 'vitest';
import { translateCall } from './translate.ts';

const buildx = (...words: string[]) => translateCall(words, 'buildx');
const run = (argv: readonly string[], variables = {}) => ({ kind: 'run', argv, variables });

test('an image that goes nowhere else goes into the engine', () => {
  expect(buildx('buildx', 'build', '-t', 'a', '.')).toEqual(run(['build', '--load', '-t', 'a', '.']));
  for (const word of ['--push', '-o=out', '-oout', '--output=type=local,dest=x', '--load', '--call=check'])
    expect(buildx('buildx', 'build', word, '.')).toEqual(run(['build', word, '.']));
  expect(buildx('buildx', 'bake', '--print')).toEqual(run(['bake', '--print']));
});

test("the options of Docker's CLI say which engine and configuration", () => {
  const words = ['--context', 'there', '--config=/etc/c', '-H', 'tcp://h', 'buildx', 'build', '--push', '.'];
  const variables = { DOCKER_CONTEXT: 'there', DOCKER_CONFIG: '/etc/c', DOCKER_HOST: 'tcp://h' };
  expect(buildx(...words)).toEqual(run(['build', '--push', '.'], variables));
});

test('builders are named to no effect', () => {
  expect(buildx('buildx', '--builder', 'x', 'b', '--push', '.')).toEqual(run(['build', '--push', '.']));
  expect(buildx('buildx', 'create', '--use')).toEqual({ kind: 'ignored', command: 'create' });
  expect(buildx('buildx', 'inspect', '--bootstrap')).toEqual({ kind: 'inspect' });
});

test('a command that there is not is refused', () => {
  expect(() => buildx('buildx', 'history', 'ls')).toThrow('tbuild has no command "history" of docker buildx');
  expect(translateCall(['tbuild', 'images'], 'tbuild')).toEqual(run(['images']));
});
