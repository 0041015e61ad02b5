import { digestOf, parseReference } from '@tbuild/oci';
import { expect, test } from 'vitest';
import { parseRegistriesConf } from './registries-conf.ts';
import { createRegistryRules, type RegistryOptions } from './registry-rules.ts';

const conf = `
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "mirror.example/hub/"
insecure = true
[[registry.mirror]]
location = "digests.example"
pull-from-mirror = "digest-only"

[[registry]]
prefix = "docker.io/team"
location = "team.example:5000/images"
insecure = true

[[registry]]
prefix = "*.corp.example"
[[registry.mirror]]
location = "corp-mirror.example"

[[registry]]
prefix = "evil.example"
blocked = true

[[registry]]
prefix = "pinned.example"
mirror-by-digest-only = true
[[registry.mirror]]
location = "copy.example"
`;
const rulesFor = (options: Partial<RegistryOptions> = {}) =>
  createRegistryRules({ insecure: [], ...options }, parseRegistriesConf(conf, 'registries.conf'));
const pinned = (name: string) => `${name}@${digestOf('x')}`;

test.each<[name: string, options: Partial<RegistryOptions>, places: string[]]>([
  ['nginx', {}, ['mirror.example/hub/library/nginx', 'docker.io/library/nginx']],
  [
    pinned('nginx'),
    {},
    ['mirror.example/hub/library/nginx', 'digests.example/library/nginx', 'docker.io/library/nginx'],
  ],
  ['team/app', {}, ['team.example:5000/images/app']],
  ['teams/app', {}, ['mirror.example/hub/teams/app', 'docker.io/teams/app']],
  ['a.corp.example/app', {}, ['corp-mirror.example/app', 'a.corp.example/app']],
  ['corp.example/app', {}, ['corp.example/app']],
  ['pinned.example/app:1', {}, ['pinned.example/app']],
  [pinned('pinned.example/app'), {}, ['copy.example/app', 'pinned.example/app']],
  ['quay.io/a/b', {}, ['quay.io/a/b']],
  ['quay.io/a/b', { mirrors: ['quay.io=q.example/proxy'] }, ['q.example/proxy/a/b', 'quay.io/a/b']],
  ['quay.io/a/b', { mirrors: ['quay.io=q.example'], mirrorsOnly: true }, ['q.example/a/b']],
  ['ghcr.io/a/b', { mirrors: ['quay.io=q.example'], mirrorsOnly: true }, ['ghcr.io/a/b']],
  [
    'nginx',
    { mirrors: ['first.example'] },
    ['first.example/library/nginx', 'mirror.example/hub/library/nginx', 'docker.io/library/nginx'],
  ],
])('images of %s with %o are read from %j', (name, options, places) => {
  expect(rulesFor(options).places(parseReference(name))).toEqual(places);
});

test('a blocked image is refused with the file that blocks it', () => {
  expect(() => rulesFor().places(parseReference('evil.example/app'))).toThrow(
    'Images below evil.example are blocked by registries.conf',
  );
});

test.each([
  ['mirror.example', true],
  ['team.example:5000', true],
  ['docker.io', false],
  ['flagged.example:5000', true],
  ['10.1.2.3:5000', true],
  ['11.1.2.3:5000', false],
  ['[fd00::1]:5000', true],
])('%s is insecure: %s', (registry, expected) => {
  expect(rulesFor({ insecure: ['flagged.example', '10.0.0.0/8', 'fd00::/8'] }).insecure(registry)).toBe(expected);
});
