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
  ...[
    'registry-1.docker.io/library/nginx:1',
    'gitlab.example:5050/group/sub-group/project:1',
    'gitlab.example/group/dependency_proxy/containers/alpine:3',
    `gitlab.example:443/group/dependency_proxy/containers/library/alpine@${DIGEST}`,
    'harbor.example/proxy-cache/library/nginx:1.27',
    '123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/app:1',
    'public.ecr.aws/docker/library/node:22-alpine',
    'europe-docker.pkg.dev/my-project-1/repo/app:1',
    'gcr.io/distroless/static-debian12:nonroot',
    'name.azurecr.io/app:20240101.1',
    'mcr.microsoft.com/dotnet/sdk:9.0',
    'artifactory.example/docker-virtual/team/app:1.0_rc-1',
    'team.jfrog.io/docker/app:latest',
    'ghcr.io/owner/repo/image:pr-1',
    'lscr.io/linuxserver/a.b_c-d:1',
    '10.0.0.1:5000/app:1',
    '[fd00::1]:5000/app:1',
  ].map((name): [string, string, string] => [name, name, name]),
];

test.each(valid)('%s is %s', (text, full, familiar) => {
  const reference = parseReference(text);
  expect(formatReference(reference)).toBe(full);
  expect(familiarReference(reference)).toBe(familiar);
  expect(parseReference(full)).toEqual(reference);
});

describe('is refused', () => {
  const invalid: [text: string, reason: RegExp][] = [
    ['', /it is empty/],
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
    ['https://ghcr.io/owner/app', /it is a URL/],
    ['gitlab.example/group/-/app', /component "-"/],
    ['quay.io/a__b___c/app', /component "a__b___c"/],
    [`app@sha512:${'a'.repeat(128)}`, /is not sha256/],
  ];
  test.each(invalid)('%s', (text, reason) => {
    expect(() => parseReference(text)).toThrow(reason);
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
