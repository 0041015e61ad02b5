import { parseDockerfile } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import { planBuild, type Plan, type ResolveImage } from '@tbuild/frontend';
import { GraphBuilder, type Graph, type Step, type StepId } from '@tbuild/graph';
import { digestOf, type RuntimeConfig } from '@tbuild/oci';

const platform = { os: 'linux', architecture: 'amd64' };

/** A plan with its steps by number, so that a change to one does not change all after it. */
export type RenderedPlan = ReturnType<typeof renderPlan>;

/** Plans a Dockerfile for linux/amd64 on images of fixed content. Returns why planning refuses it as a text. */
export async function planText(text: string): Promise<RenderedPlan | string> {
  const graph = new GraphBuilder();
  try {
    const planned = await planBuild(parseDockerfile(text), {
      platform,
      buildPlatform: platform,
      buildArgs: {},
      labels: {},
      noCache: false,
      contexts: {},
      resolveImage,
      graph,
      signal: new AbortController().signal,
    });
    return renderPlan(planned, graph.build(planned.target === undefined ? [] : [planned.target]));
  } catch (error) {
    if (!(error instanceof TbuildError)) throw error;
    const { message, hint, location } = error;
    return `${location?.start.line}:${location?.start.column} ${message}\n${hint === undefined ? '' : `${hint}\n`}`;
  }
}

const CONFIGS: Readonly<Record<string, RuntimeConfig>> = {
  'node:22-onbuild': {
    Env: ['PATH=/bin'],
    WorkingDir: '/app',
    OnBuild: ['COPY package.json .', 'RUN npm ci', 'COPY . .'],
  },
  postgres: { Env: ['PATH=/usr/bin', 'PGDATA=/data'], User: 'postgres', Entrypoint: ['/entry'], Cmd: ['postgres'] },
};

const resolveImage: ResolveImage = (request) => {
  const { reference } = request;
  const manifest = digestOf(reference);
  const config = CONFIGS[reference] ?? { Env: ['PATH=/bin'], Cmd: ['sh'] };
  const history = [{ created: '2026-01-01T00:00:00Z', created_by: `layer of ${reference}` }];
  return Promise.resolve({
    reference: `${reference}@${manifest}`,
    source: request.source.kind === 'engine' ? { kind: 'store' } : request.source,
    manifest,
    config: { platform: request.platform, config, diffIds: [digestOf(`${reference} layer`)], history },
  });
};

function renderPlan(planned: Plan, { steps }: Graph) {
  const ids = [...steps.keys()];
  const number = (id: StepId | undefined) => (id === undefined ? undefined : ids.indexOf(id));
  return {
    steps: [...steps.values()].map((step, index) => renderStep(step, index, number)),
    target: number(planned.target),
    base: number(planned.base?.step),
    config: planned.config,
    author: planned.author,
    history: planned.history.map(({ createdBy, step }) =>
      step === undefined ? createdBy : { createdBy, step: number(step) },
    ),
    warnings: planned.warnings.map(({ rule, message, location }) => `${location.start.line} ${rule}: ${message}`),
  };
}

function renderStep(step: Step, index: number, number: (id: StepId | undefined) => number | undefined) {
  const { name, op, base, sources, location } = step;
  return { step: index, name, line: location?.start.line, base: number(base), sources: sources.map(number), op };
}
