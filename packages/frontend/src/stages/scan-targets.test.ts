import { parseDockerfile } from '@tbuild/dockerfile';
import { GraphBuilder } from '@tbuild/graph';
import { expect, test } from 'vitest';
import { planBuild } from '../plan-build.ts';

const STAGES = 'FROM scratch AS a\nCOPY x /\nFROM scratch AS b\nCOPY y /\nFROM scratch AS unused\nCOPY z /\n';
const LAST = 'FROM scratch AS last\nCOPY --from=a / /\nCOPY --from=b / /\n';

async function scansOf(text: string, buildArgs: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  const platform = { os: 'linux', architecture: 'amd64' };
  const { scans } = await planBuild(parseDockerfile(text, 'Dockerfile'), {
    platform,
    buildPlatform: platform,
    buildArgs,
    labels: {},
    noCache: false,
    contexts: {},
    graph: new GraphBuilder(),
    signal: new AbortController().signal,
    resolveImage: () => Promise.reject(new Error('There is no image to ask for')),
  });
  return scans.map(({ name }) => name);
}

test.each([
  ['nothing', `${STAGES}${LAST}`, []],
  ['all stages that are built', `ARG BUILDKIT_SBOM_SCAN_STAGE=true\n${STAGES}${LAST}`, ['a', 'b']],
  ['stages by name', `ARG BUILDKIT_SBOM_SCAN_STAGE=b,unused\n${STAGES}${LAST}`, ['b']],
  [
    'a stage that says otherwise',
    `ARG BUILDKIT_SBOM_SCAN_STAGE=true\n${STAGES.replace('COPY y', 'ARG BUILDKIT_SBOM_SCAN_STAGE=false\nCOPY y')}${LAST}`,
    ['a'],
  ],
  ['the context of the target', `${STAGES}${LAST}ARG BUILDKIT_SBOM_SCAN_CONTEXT=true\n`, ['context']],
  [
    'no context that another stage asks for',
    `${STAGES.replace('COPY x', 'ARG BUILDKIT_SBOM_SCAN_CONTEXT=true\nCOPY x')}${LAST}`,
    [],
  ],
])('the scans are found: %s', async (_, text, expected) => expect(await scansOf(text)).toEqual(expected));

test('a build argument requests a scan only if the file declares it', async () => {
  const given = { BUILDKIT_SBOM_SCAN_STAGE: 'true' };
  expect(await scansOf(`${STAGES}${LAST}`, given)).toEqual([]);
  const declared = STAGES.replace('COPY x', 'ARG BUILDKIT_SBOM_SCAN_STAGE\nCOPY x');
  expect(await scansOf(`${declared}${LAST}`, given)).toEqual(['a']);
});
