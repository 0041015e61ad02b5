import { dockerfile, type MessageCase } from '../message-case.ts';

/** Dockerfiles that the parser accepts and that cannot be built. */
export const meaningCases: readonly MessageCase[] = [
  dockerfile(
    'A misspelt stage in COPY --from fails, with a suggestion',
    'FROM scratch AS build\nFROM scratch\nCOPY --from=biuld /a /b\n',
    { args: ['--registry-map', 'docker.io=REGISTRY', '--skip-default-registry-fallback', '.'] },
  ),
  dockerfile('A misspelt stage in FROM fails, with a suggestion', 'FROM scratch AS build\nFROM biuld\nCOPY a /\n', {
    args: ['--registry-map', 'docker.io=127.0.0.1:1', '--skip-default-registry-fallback', '.'],
  }),
  dockerfile('FROM of a stage in upper case fails, with a suggestion', 'FROM scratch AS Build\nFROM Build\n'),
  dockerfile('FROM of a later stage fails', 'FROM late AS app\nFROM scratch AS late\n', {
    args: ['--target', 'app', '--registry-map', 'docker.io=127.0.0.1:1', '--skip-default-registry-fallback', '.'],
  }),
  dockerfile('A stage index that is too large fails', 'FROM scratch\nCOPY --from=5 /a /b\n'),
  dockerfile('A stage that copies from itself fails', 'FROM scratch AS a\nCOPY --from=a /a /b\n'),
  dockerfile(
    'A stage that copies from a later stage fails',
    'FROM scratch AS a\nCOPY --from=b /a /b\nFROM scratch AS b\n',
    { args: ['--target', 'a', '.'] },
  ),
  dockerfile('An unknown target stage fails, with a suggestion', 'FROM scratch AS build\n', {
    args: ['--target', 'biuld', '.'],
  }),
  dockerfile('FROM of a variable that is empty fails', 'ARG BASE\nFROM $BASE\n'),
  dockerfile('FROM of a tag that is empty fails', 'ARG VERSION\nFROM busybox:${VERSION}\n'),
  dockerfile('FROM of an argument that no ARG declares fails', 'FROM busybox:${VERSION}\n'),
  dockerfile('FROM of a directory fails', 'FROM ./base\n'),
  dockerfile('FROM of an invalid reference fails', 'FROM Bad/Name\n'),
  dockerfile('FROM of an invalid platform fails', 'FROM --platform=linux/ scratch\n'),
  dockerfile('FROM of a layout without the platform fails', 'FROM busybox\nUSER 1\n', {
    args: ['--platform', 'linux/s390x', '.'],
  }),
  dockerfile('A required variable that is not set fails', 'FROM scratch\nENV A=${B:?needed}\n'),
  dockerfile('A required build argument of FROM fails', 'ARG TAG\nFROM busybox:${TAG:?required}\n'),
  dockerfile('RUN without a base fails', 'FROM scratch\nRUN true\n'),
  dockerfile('A user that the image lacks fails', 'FROM busybox\nUSER ghost\nRUN id\n'),
  dockerfile('A user whose number is out of range fails', 'FROM busybox\nUSER 99999999999\nRUN id\n'),
  dockerfile('COPY --chown with a name on scratch fails', 'FROM scratch\nCOPY --chown=ghost a /a\n', {
    files: { a: '' },
  }),
  dockerfile('COPY --chmod with an invalid mode fails', 'FROM scratch\nCOPY --chmod=rwx a /a\n', {
    files: { a: '' },
  }),
  dockerfile(
    'Checks fail the build where the Dockerfile says so',
    '# check=error=true\nFROM scratch as a\nCOPY a /a\n',
    { files: { a: '' } },
  ),
  dockerfile('--check lists what it finds and fails', 'from scratch\nENV A=$UNDEFINED\nMAINTAINER me\n', {
    args: ['--check', '.'],
  }),
  dockerfile('A step in the network of the machine fails without --allow', 'FROM busybox\nRUN --network=host true\n'),
  dockerfile('A step that runs insecurely fails without --allow', 'FROM busybox\nRUN --security=insecure true\n'),
  dockerfile('A source that a policy denies fails', 'FROM busybox:1\n', {
    args: ['--source-policy-file', 'policy.json', '.'],
    files: {
      'policy.json': '{"rules": [{"action": "DENY", "selector": {"identifier": "docker-image://docker.io/*"}}]}',
    },
  }),
  dockerfile(
    'A device of RUN that nobody allowed is refused',
    'FROM busybox\nRUN --device=vendor.com/device=all true\n',
  ),
];
