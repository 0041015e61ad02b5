import { type CopyOp, GraphBuilder, type RunOp } from '@tbuild/graph';
import { digestOf } from '@tbuild/oci';
import { describe, expect, test } from 'vitest';
import type { ProvenanceSpec } from './attestation-specs.ts';
import type { AskedBuild, BuildFacts } from './build-facts.ts';
import { provenance, provenanceType } from './provenance.ts';

const platform = { os: 'linux', architecture: 'amd64' };
const digest = digestOf(Buffer.from('base'));
const text = 'FROM busybox\nARG TOKEN\nADD https://user:hunter2@example.org/f /f\nRUN true\n';

const spec = (mode: 'min' | 'max', version: 'v1' | 'v0.2' = 'v1'): ProvenanceSpec => ({
  mode,
  version,
  filename: 'provenance.json',
  builderId: 'ci',
  reproducible: false,
});

function facts(): BuildFacts {
  const builder = new GraphBuilder();
  const base = builder.add({
    op: {
      kind: 'image',
      reference: `docker.io/library/busybox:latest@${digest}`,
      source: { kind: 'registry' },
      manifest: digestOf(Buffer.from('m')),
      diffIds: [],
      platform,
    },
    sources: [],
    name: 'FROM busybox',
    noCache: false,
  });
  const file = builder.add({
    op: { kind: 'http', url: 'https://user:hunter2@example.org/f', filename: 'f' },
    sources: [],
    name: 'f',
    noCache: false,
  });
  const run: RunOp = {
    kind: 'run',
    args: ['true'],
    env: ['TOKEN=arg-value'],
    cwd: '/',
    user: '',
    hostname: '',
    network: 'default',
    security: 'sandbox',
    platform,
    mounts: [{ type: 'secret', id: 'npm', required: true, mode: 0o400, uid: 0, gid: 0 }],
  };
  const target = builder.add({ op: run, base, sources: [file], name: 'RUN true', noCache: false });
  const context = { kind: 'git', url: 'https://bot:hunter2@example.org/app.git', ref: 'main' } as const;
  const request: AskedBuild = {
    context,
    namedContexts: {},
    noCache: false,
    buildArgs: { TOKEN: 'arg-value', HTTP_PROXY: 'http://proxy-password' },
    labels: {},
  };
  return {
    request,
    loaded: { name: 'Dockerfile', text },
    graph: builder.build([target]),
    target,
    contextOp: { ...context, keepGitDir: false, submodules: true },
    resolvedSource: (op) => (op.kind === 'git' ? { commit: 'a'.repeat(40) } : { digest }),
    layersOf: (step) => (step === base ? [{ mediaType: 'layer', digest, size: 1 }] : undefined),
    vcs: { revision: 'r' },
    invocationId: 'invocation',
    builderPlatform: platform,
    startedAt: 0,
    finishedAt: 1500,
  };
}

describe('provenance', () => {
  test('Provenance v1 has the fields that consumers read', () => {
    expect(provenance(spec('min'), facts())).toMatchObject({
      buildDefinition: {
        externalParameters: {
          configSource: {
            uri: 'https://example.org/app.git#main',
            digest: { sha1: 'a'.repeat(40) },
            path: 'Dockerfile',
          },
          request: { frontend: 'dockerfile.v0', args: {} },
        },
        internalParameters: { builderPlatform: 'linux/amd64' },
        resolvedDependencies: [
          { uri: 'pkg:docker/busybox@latest?platform=linux%2Famd64', digest: { sha256: digest.slice(7) } },
          { uri: 'https://example.org/f', digest: { sha256: digest.slice(7) } },
          { uri: 'https://example.org/app.git#main', digest: { sha1: 'a'.repeat(40) } },
        ],
      },
      runDetails: {
        builder: { id: 'ci' },
        metadata: {
          invocationId: 'invocation',
          startedOn: '1970-01-01T00:00:00Z',
          finishedOn: '1970-01-01T00:00:01.5Z',
          buildkit_metadata: { vcs: { revision: 'r' } },
          buildkit_completeness: { request: false, resolvedDependencies: true },
        },
      },
    });
  });

  test('Provenance v0.2 has the fields of that version', () => {
    expect(provenanceType(spec('min', 'v0.2'))).toBe('https://slsa.dev/provenance/v0.2');
    expect(provenance(spec('max', 'v0.2'), facts())).toMatchObject({
      builder: { id: 'ci' },
      materials: [{ digest: { sha256: digest.slice(7) } }, {}, {}],
      invocation: {
        configSource: { entryPoint: 'Dockerfile' },
        parameters: { args: { 'build-arg:TOKEN': 'arg-value' } },
        environment: { platform: 'linux/amd64' },
      },
      buildConfig: {
        llbDefinition: [
          { id: 'step0', op: { platform: { Architecture: 'amd64', OS: 'linux' } } },
          { id: 'step1', op: { Op: { source: { identifier: 'https://example.org/f' } } } },
          { id: 'step2', inputs: ['step0:0'], op: { Op: { exec: { meta: { args: ['true'] } } } } },
          { id: 'step3', inputs: ['step2:0'], op: { Op: {} } },
        ],
      },
      metadata: {
        buildInvocationID: 'invocation',
        completeness: { parameters: true },
        'https://mobyproject.org/buildkit@v1#metadata': { layers: { 'step0:0': [[{ digest, size: 1 }]] } },
      },
    });
  });

  test.each([
    ['min', 'v1'],
    ['min', 'v0.2'],
  ] as const)('%s %s provenance has no build arguments, steps or secret IDs', (mode, version) => {
    const text = JSON.stringify(provenance(spec(mode, version), facts()));
    for (const word of ['arg-value', 'npm', 'buildConfig', 'infos']) expect(text).not.toContain(word);
  });

  test.each(['v1', 'v0.2'] as const)('%s provenance with mode=max has secret IDs but no credentials', (version) => {
    const text = JSON.stringify(provenance(spec('max', version), facts()));
    expect(text).toContain('"secrets":[{"id":"npm"}]');
    const source = Buffer.from(/"data":"([^"]*)"/.exec(text)?.[1] ?? '', 'base64').toString();
    expect(source).toContain('ADD https://example.org/f');
    for (const word of ['hunter2', 'proxy-password']) expect(text + source).not.toContain(word);
  });

  test('provenance with mode=max has no credentials of a heredoc', () => {
    const builder = new GraphBuilder();
    const files = [{ name: 'config', content: 'url = https://robot:hunter2@example.org/\n' }];
    const op: CopyOp = {
      kind: 'copy',
      from: { kind: 'inline', files },
      sources: ['config'],
      unpack: false,
      keepOwner: false,
      destination: '/etc/',
      exclude: [],
      parents: false,
    };
    const target = builder.add({ op, sources: [], name: 'COPY <<config /etc/', noCache: false });
    const written = JSON.stringify(provenance(spec('max'), { ...facts(), graph: builder.build([target]), target }));
    const texts = [...written.matchAll(/"data":"([^"]*)"/g)].map(([, data = '']) =>
      Buffer.from(data, 'base64').toString(),
    );
    expect(texts).toContain('url = https://example.org/\n');
    expect(texts.join('')).not.toContain('hunter2');
  });

  test('the digest of a named context that is an image is no credential', () => {
    const { request, ...rest } = facts();
    const reference = `docker.io/library/alpine:3@${digest}`;
    const asked = { ...request, namedContexts: { base: { kind: 'image', reference } } } as const;
    expect(JSON.stringify(provenance(spec('min'), { ...rest, request: asked }))).toContain(
      `"context:base":"docker-image://${reference}"`,
    );
  });
});
