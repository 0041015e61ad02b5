import { GraphBuilder, type RunOp, type Step } from '@tbuild/graph';
import { expect, test } from 'vitest';
import { anticipateRuns } from './anticipate-runs.ts';

const run: Omit<RunOp, 'network'> = {
  kind: 'run',
  args: ['true'],
  env: [],
  cwd: '/',
  user: '',
  hostname: 'h',
  mounts: [],
  security: 'sandbox',
  platform: { os: 'linux', architecture: 'amd64' },
};

/** Returns a graph of one RUN for each network, and what was made ready for it. */
function open(...networks: RunOp['network'][]) {
  const builder = new GraphBuilder();
  const ids = networks.map((network) =>
    builder.add({ op: { ...run, network }, name: network, sources: [], noCache: false }),
  );
  const { steps } = builder.build(ids);
  const made: string[] = [];
  const network = { start: () => void made.push('network'), join: async () => undefined };
  const executor = async (): Promise<never> => {
    made.push('executor');
    throw new Error('No isolation is allowed');
  };
  return { runs: anticipateRuns({ steps }, { network, executor }), steps: [...steps.values()] as Step[], made };
}

test('The first step that is not cached makes the network and the executor ready', () => {
  const { runs, made } = open('default', 'none');
  runs.onUncached();
  runs.onUncached();
  expect(made).toEqual(['network', 'executor']);
});

test('Without a RUN that uses the network, only the executor is made ready', () => {
  const { runs, made } = open('none', 'host');
  runs.onUncached();
  expect(made).toEqual(['executor']);
});

test('Nothing is made ready when every RUN is solved', () => {
  const { runs, steps, made } = open('default', 'none');
  for (const step of steps) runs.onSolved(step);
  runs.onUncached();
  expect(made).toEqual([]);
});
