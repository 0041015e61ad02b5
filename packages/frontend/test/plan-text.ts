import { parseDockerfile } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import { GraphBuilder, type Graph, type Step } from '@tbuild/graph';
import { digestOf, type ImageConfig, type RuntimeConfig } from '@tbuild/oci';
import { planBuild } from '../src/plan-build.ts';
import type { ImageRequest, Plan, PlanOptions } from '../src/plan.ts';

const PLATFORM = { os: 'linux', architecture: 'amd64' };

const CONFIGS: Readonly<Record<string, RuntimeConfig>> = {
  busybox: { Env: ['PATH=/bin'], Cmd: ['sh'] },
  app: {
    Env: ['PATH=/bin', 'MODE=base'],
    WorkingDir: '/srv',
    User: 'app',
    Cmd: ['serve'],
    Entrypoint: ['/entry'],
    Labels: { a: '1' },
  },
  trigger: { Env: ['PATH=/bin'], OnBuild: ['COPY . /src', 'RUN make', 'ENV BUILT=1'] },
  'trigger-from': { OnBuild: ['COPY --from=tools /t /t'] },
  bare: {},
};

/** Plans a text against small fixed images; `requests` are the requested images. */
export async function planText(
  text: string,
  changes: Partial<PlanOptions> = {},
): Promise<{ plan: Plan; graph: Graph; steps: readonly Step[]; requests: readonly ImageRequest[] }> {
  const graph = new GraphBuilder();
  const requests: ImageRequest[] = [];
  const options: PlanOptions = {
    platform: PLATFORM,
    buildPlatform: PLATFORM,
    buildArgs: {},
    labels: {},
    noCache: false,
    contexts: {},
    graph,
    signal: new AbortController().signal,
    async resolveImage(request) {
      requests.push(request);
      return { ...imageNamed(request), source: request.source.kind === 'engine' ? { kind: 'store' } : request.source };
    },
    ...changes,
  };
  const plan = await planBuild(parseDockerfile(text, 'Dockerfile'), options);
  const built = options.graph.build(plan.target === undefined ? [] : [plan.target]);
  return { plan, graph: built, steps: [...built.steps.values()], requests };
}

function imageNamed({ reference, platform }: ImageRequest): {
  reference: string;
  manifest: `sha256:${string}`;
  config: ImageConfig;
} {
  const config = CONFIGS[reference];
  if (config === undefined) throw new TbuildError('NOT_FOUND', `Image ${JSON.stringify(reference)} does not exist`);
  const manifest = digestOf(reference);
  return {
    reference: `docker.io/library/${reference}:latest@${manifest}`,
    manifest,
    config: {
      platform,
      config,
      diffIds: [digestOf(`${reference} layer`)],
      history: [{ created: '2026-01-01T00:00:00Z', created_by: 'base' }],
    },
  };
}
