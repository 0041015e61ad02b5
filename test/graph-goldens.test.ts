import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDockerfile } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import { planBuild, type Plan, type ResolveImage } from '@tbuild/frontend';
import { GraphBuilder, type Graph, type Step, type StepId } from '@tbuild/graph';
import { digestOf, type RuntimeConfig } from '@tbuild/oci';
import { expect, test } from 'vitest';

// Each case that parses has a graph.json, its plan for linux/amd64 on images of fixed content, or a
// graph-error.txt, why planning refuses it. `UPDATE_GOLDENS=1` rewrites them.
const root = join(import.meta.dirname, '../fixtures/dockerfiles');
const update = process.env.UPDATE_GOLDENS === '1';
const platform = { os: 'linux', architecture: 'amd64' };

test.each(readdirSync(root).filter((name) => existsSync(join(root, name, 'ast.json'))))('graph of %s', async (name) => {
  const folder = join(root, name);
  const paths = { graph: join(folder, 'graph.json'), error: join(folder, 'graph-error.txt') };
  const outcome = await plan(readFileSync(join(folder, 'Dockerfile'), 'utf8'));
  const refused = typeof outcome === 'string';
  if (update) rmSync(refused ? paths.graph : paths.error, { force: true });
  const [path, actual] = refused ? [paths.error, outcome] : [paths.graph, `${JSON.stringify(outcome, null, 2)}\n`];
  if (update) writeFileSync(path, actual);
  expect(actual).toBe(existsSync(path) ? readFileSync(path, 'utf8') : undefined);
});

async function plan(text: string): Promise<object | string> {
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

/** Steps by number, so that a change to one does not change all lines after it. */
function renderPlan(planned: Plan, { steps }: Graph): object {
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

function renderStep(step: Step, index: number, number: (id: StepId | undefined) => number | undefined): object {
  const { name, op, base, sources, location } = step;
  return { step: index, name, line: location?.start.line, base: number(base), sources: sources.map(number), op };
}
