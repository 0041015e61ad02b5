import { expect, test } from 'vitest';
import { translateCall } from './translate.ts';

const buildx = (...words: string[]) => translateCall(words, 'buildx');
const run = (argv: readonly string[], variables = {}) => ({
  kind: 'run',
  argv,
  variables: { ...(argv[0] === 'buildx' ? { TBUILD_ENGINE_IMAGES: 'docker' } : {}), ...variables },
});

test('an image that goes nowhere else goes into the engine', () => {
  expect(buildx('buildx', 'build', '-t', 'a', '.')).toEqual(run(['buildx', 'build', '--load', '-t', 'a', '.']));
  for (const word of ['--push', '-o=out', '-oout', '--output=type=local,dest=x', '--load', '--call=check'])
    expect(buildx('buildx', 'build', word, '.')).toEqual(run(['buildx', 'build', word, '.']));
  expect(buildx('buildx', 'bake', '--print')).toEqual(run(['buildx', 'bake', '--print']));
});

test("the options of Docker's CLI say which engine and configuration", () => {
  const words = ['--context', 'there', '--config=/etc/c', '-H', 'tcp://h', 'buildx', 'build', '--push', '.'];
  const variables = { DOCKER_CONTEXT: 'there', DOCKER_CONFIG: '/etc/c', DOCKER_HOST: 'tcp://h' };
  expect(buildx(...words)).toEqual(run(['buildx', 'build', '--push', '.'], variables));
});

test("the options of Docker's CLI about TLS and the log go along", () => {
  const words = ['-D', '-l', 'warn', '--tls', '--tlsverify', '--tlscacert=a', '--tlscert', 'b', '--tlskey', 'c'];
  const variables = {
    DOCKER_TLS: '1',
    DOCKER_TLS_VERIFY: '1',
    TBUILD_DOCKER_CACERT: 'a',
    TBUILD_DOCKER_CERT: 'b',
    TBUILD_DOCKER_KEY: 'c',
  };
  expect(buildx(...words, 'buildx', 'build', '--push', '.')).toEqual(
    run(['buildx', 'build', '--debug', '--push', '.'], variables),
  );
  expect(buildx('--tlsverify=false', 'buildx', '-D', 'bake', '--push')).toEqual(
    run(['buildx', 'bake', '-D', '--push'], { DOCKER_TLS_VERIFY: '' }),
  );
});

test('builders are named to no effect', () => {
  expect(buildx('buildx', '--builder', 'x', 'b', '--push', '.')).toEqual(run(['buildx', 'build', '--push', '.']));
  expect(buildx('buildx', 'version')).toEqual({ kind: 'version' });
});

test('a plug-in that Compose starts by itself gets no name', () => {
  expect(buildx('build', '--push', '-t', 'buildx', '.')).toEqual(
    run(['buildx', 'build', '--push', '-t', 'buildx', '.']),
  );
  expect(buildx('bake', '--push')).toEqual(run(['buildx', 'bake', '--push']));
});

test('the plug-in of its own takes every command', () => {
  expect(translateCall(['tbuild', 'images'], 'tbuild')).toEqual(run(['images']));
});
