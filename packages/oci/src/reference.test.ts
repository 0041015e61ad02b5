import { describe, expect, test } from 'vitest';
import { familiarReference, formatReference, parseReference } from './index.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

const valid: [text: string, full: string, familiar: string][] = [
  ['nginx', 'docker.io/library/nginx:latest', 'nginx:latest'],
  ['nginx:1.27', 'docker.io/library/nginx:1.27', 'nginx:1.27'],
  ['bitnami/redis', 'docker.io/bitnami/redis:latest', 'bitnami/redis:latest'],
  ['docker.io/nginx', 'docker.io/library/nginx:latest', 'nginx:latest'],
  ['index.docker.io/library/nginx', 'docker.io/library/nginx:latest', 'nginx:latest'],
  ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
  ['localhost:5000/app:v1', 'localhost:5000/app:v1', 'localhost:5000/app:v1'],
  ['127.0.0.1:5000/team/app', '127.0.0.1:5000/team/app:latest', '127.0.0.1:5000/team/app:latest'],
  ['[::1]:5000/app', '[::1]:5000/app:latest', '[::1]:5000/app:latest'],
  ['quay.io/prometheus/busybox', 'quay.io/prometheus/busybox:latest', 'quay.io/prometheus/busybox:latest'],
  [
    'registry.gitlab.com/group/sub/project/image:main-1',
    'registry.gitlab.com/group/sub/project/image:main-1',
    'registry.gitlab.com/group/sub/project/image:main-1',
  ],
  ['ghcr.io/owner/name@' + DIGEST, `ghcr.io/owner/name@${DIGEST}`, `ghcr.io/owner/name@${DIGEST}`],
  [`busybox:1@${DIGEST}`, `docker.io/library/busybox:1@${DIGEST}`, `busybox:1@${DIGEST}`],
  [
    'nexus.example:8443/docker-hosted/a__b/c-d.e_f',
    'nexus.example:8443/docker-hosted/a__b/c-d.e_f:latest',
    'nexus.example:8443/docker-hosted/a__b/c-d.e_f:latest',
  ],
  ['Registry/app', 'Registry/app:latest', 'Registry/app:latest'],
];

test.each(valid)('%s is %s', (text, full, familiar) => {
  const reference = parseReference(text);
  expect(formatReference(reference)).toBe(full);
  expect(familiarReference(reference)).toBe(familiar);
  expect(parseReference(full)).toEqual(reference);
});

describe('is refused', () => {
  const invalid: [text: string, reason: RegExp][] = [
    ['', /component ""/],
    ['Nginx', /must be lowercase/],
    ['quay.io/Team/app', /must be lowercase/],
    ['app:', /tag ""/],
    ['app:-x', /tag "-x"/],
    [`app:${'x'.repeat(129)}`, /tag/],
    ['app@sha256:123', /digest/],
    ['a//b', /component ""/],
    ['a/../b', /component ".."/],
    ['host:port/app', /registry "host:port"/],
    ['-host.example/app', /registry/],
    [`quay.io/${'a'.repeat(260)}`, /longer than 255/],
    ['app name', /component "app name"/],
  ];
  test.each(invalid)('%s', (text, reason) => {
    expect(() => parseReference(text)).toThrow(reason);
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
