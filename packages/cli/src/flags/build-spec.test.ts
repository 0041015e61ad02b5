import { expect, test } from 'vitest';
import { parseArgs } from './args.ts';
import { buildFlags } from './build-flags.ts';
import { specFromFlags } from './build-spec.ts';

const specOf = (...words: string[]) => {
  const { flags, positional } = parseArgs([...words, '.'], buildFlags);
  return specFromFlags(flags, positional, { cwd: '/', variables: { FROM_ENV: 'value' } });
};

test.each([
  [
    '--build-arg',
    ['--build-arg', 'A', '--build-arg', 'FROM_ENV', '--build-arg', 'B=c'],
    'buildArgs',
    { FROM_ENV: 'value', B: 'c' },
  ],
  ['an empty --output', ['--output', '', '-o', 'out'], 'outputs', ['out']],
  ['an empty --cache-from', ['--cache-from='], 'cacheFrom', []],
  ['an empty --cache-to', ['--cache-to='], 'cacheTo', []],
  ['--platform', ['--platform', 'a,b', '--platform', 'c'], 'platforms', ['a', 'b', 'c']],
  ['--no-cache-filter', ['--no-cache-filter', 'a,b'], 'noCache', ['a', 'b']],
  ['--no-cache', ['--no-cache', '--no-cache-filter', 'a'], 'noCache', true],
  ['--resource', ['--resource', 'memory=1g,cpuset-cpus=0-2,4'], 'resources', { memory: '1g', 'cpuset-cpus': '0-2,4' }],
  ...['memory', 'memory-swap', 'cpu-shares', 'cpu-period', 'cpu-quota', 'cpuset-cpus', 'cpuset-mems'].map(
    (name) => [`--${name}`, [`--${name}`, '1'], 'resources', { [name]: '1' }] as const,
  ),
  ['-m and --resource', ['-m', '1g', '--resource', 'memory=2g'], 'resources', { memory: '2g' }],
  ['--allow', ['--allow', 'network.host,security.insecure'], 'allow', ['network.host', 'security.insecure']],
  [
    '--attest',
    ['--attest', 'type=sbom', '--attest', 'type=provenance,mode=min'],
    'provenance',
    'type=provenance,mode=min',
  ],
  ['--attest and --provenance', ['--attest', 'type=provenance', '--provenance', 'false'], 'provenance', 'false'],
] as const)('specFromFlags reads %s', (_name, words, field, expected) => {
  expect(specOf(...words)).toHaveProperty(field, expected);
});

test.each([
  ['--build-context', 'base', 'expected NAME=SOURCE'],
  ['--build-arg', '', 'expected NAME=VALUE'],
  ['--build-arg', '=a', 'expected NAME=VALUE'],
  ['--label', '', 'expected NAME=VALUE'],
  ['--annotation', 'a', 'expected [KIND:]NAME=VALUE'],
  ['--ulimit', 'nofile', 'expected NAME=SOFT[:HARD]'],
  ['--resource', 'memory', 'expected NAME=VALUE'],
  ['--network', 'bridge', 'expected default, none, host, pasta'],
  ['--allow', 'network', 'expected network.host, security.insecure, device, buildx.local.delete'],
  ['--attest', 'type=signature', 'expected provenance, sbom'],
  ['--attest', 'provenance', 'Invalid --attest "provenance": type= is required'],
])('specFromFlags refuses %s %s', (option, value, message) => {
  expect(() => specOf(option, value)).toThrow(message);
});
