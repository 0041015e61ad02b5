import { TbuildError } from '@tbuild/errors';
import { type Graph, GraphBuilder, type Step, type StepId, type StepKey, stepKey } from '@tbuild/graph';
import { digestOf } from '@tbuild/oci';
import type { Progress, ProgressEvent } from '@tbuild/progress';
import { expect, test } from 'vitest';
import { openSolver, type Op, type ResultCache } from './index.ts';

/** Steps are `mkdir`s whose path names their behaviour; a result is a number: 1 + the sum of its inputs. */
function chain(...names: string[]): Graph {
  const builder = new GraphBuilder();
  let tip: StepId | undefined;
  for (const name of names) tip = builder.add(step(name, tip));
  return builder.build([tip as StepId]);
}

function step(name: string, base?: StepId, sources: StepId[] = []): Omit<Step, 'id'> {
  return {
    op: { kind: 'mkdir', path: name, mode: 0o755, user: '' },
    base,
    sources,
    name,
    noCache: name.startsWith('!'),
  };
}

/** Reports a missing result. */
class Lost extends Error {
  readonly result: number;

  constructor(result: number) {
    super(`${result} is gone`);
    this.result = result;
  }
}

function setup(
  behaviour: Record<string, (signal: AbortSignal) => Promise<void>> = {},
  gathering: Record<string, () => Promise<void>> = {},
) {
  const events: ProgressEvent[] = [];
  const records = new Map<StepKey, number>();
  const ran: string[] = [];
  const gone = new Set<number>();
  const progress: Progress = { emit: (event) => void events.push(event) };
  const cache: ResultCache<number> = {
    load: async (key) => {
      const result = records.get(key);
      return result === undefined ? undefined : { result, isWhole: !gone.has(result) };
    },
    explain: async () => ({ reason: 'never ran' }),
    resultsLostBy: (error) => (error instanceof Lost ? [error.result] : []),
    save: async (key, result, { replace }) => {
      if (!records.has(key) || replace || gone.has(records.get(key) ?? 0)) records.set(key, result);
      return records.get(key) ?? result;
    },
  };
  const opFor = ({ name }: Step): Op<number> => ({
    async prepare({ base, sources }, signal) {
      const inputs = [...(base === undefined ? [] : [base]), ...sources].map(({ result }) => result);
      const key = stepKey(digestOf(JSON.stringify([name, inputs])));
      return {
        key,
        gather: gathering[name],
        async takeTurn() {
          if (name.startsWith('elsewhere')) records.set(key, 7);
          return { [Symbol.dispose]() {} };
        },
        parts: async () => [],
        async run() {
          ran.push(name);
          await behaviour[name]?.(signal);
          return 1 + inputs.reduce((sum, value) => sum + value, 0);
        },
      };
    },
  });
  const run = async (
    graph: Graph,
    extra: { jobs?: number; signal?: AbortSignal; needed?: Iterable<StepId>; use?: () => Promise<void> } = {},
  ) => {
    const { signal = new AbortController().signal, jobs, needed } = extra;
    const solver = openSolver(graph, { opFor, cache, progress, now: () => 0, signal, jobs, needed });
    for (;;) {
      const solved = await solver.solve();
      try {
        await extra.use?.();
        return solved;
      } catch (error) {
        if (!solver.recover(error)) throw error;
      }
    }
  };
  const outcomes = () =>
    Object.fromEntries(
      events.flatMap((event) => (event.type === 'finished' ? [[nameOf(event.step), event.outcome]] : [])),
    );
  const nameOf = (id: string) =>
    events.flatMap((event) => (event.type === 'planned' ? event.steps : [])).find((planned) => planned.id === id)
      ?.name ?? id;
  return { run, ran, gone, events, outcomes };
}

test('a second solve takes everything from the cache', async () => {
  const { run, ran, outcomes } = setup();
  const first = await run(chain('a', 'b', 'c'));
  expect([...first.values()].map(({ result }) => result)).toEqual([1, 2, 3]);
  await run(chain('a', 'b', 'c'));
  expect(ran).toEqual(['a', 'b', 'c']);
  expect(outcomes()).toEqual({ a: 'cached', b: 'cached', c: 'cached' });
});

test('a step that ran elsewhere meanwhile is cached, and no reason to run is given', async () => {
  const { run, ran, events } = setup();
  await run(chain('a', 'elsewhere'));
  expect(ran).toEqual(['a']);
  expect(events.flatMap((event) => (event.type === 'finished' ? [[event.outcome, event.reason]] : []))).toEqual([
    ['built', 'never ran'],
    ['cached', undefined],
  ]);
});

test('a step starts when its inputs are gathered, and a cached step gathers none', async () => {
  const { run, events } = setup({}, { b: async () => void events.push({ type: 'warning', message: 'gathered' }) });
  await run(chain('a', 'b'));
  await run(chain('a', 'b'));
  const b = [...chain('a', 'b').steps.values()][1]?.id;
  const seen = events.filter((event) => !('step' in event) || event.step === b).map(({ type }) => type);
  expect(seen).toEqual(['planned', 'waiting', 'warning', 'started', 'finished', 'planned', 'finished']);
});

test('a failure while inputs are gathered is not the failure of the waiting step, which never starts', async () => {
  const { run, ran, outcomes } = setup({}, { b: () => Promise.reject(new TbuildError('REGISTRY', 'no layer')) });
  await expect(run(chain('a', 'b', 'c'))).rejects.toThrow('no layer');
  expect(ran).toEqual(['a']);
  expect(outcomes()).toEqual({ a: 'built' });
});

test('a failure is located at the step that failed, not at one that waits for its inputs meanwhile', async () => {
  const location = { file: 'Dockerfile', start: { line: 3, column: 1 }, end: { line: 3, column: 4 } };
  const failing = { bad: () => Promise.reject(new TbuildError('PROCESS_FAILED', 'it broke')) };
  const { run } = setup(failing, { waiting: () => new Promise(() => {}) });
  const builder = new GraphBuilder();
  const [bad, waiting] = [builder.add(step('bad')), builder.add({ ...step('waiting'), location })];
  const error: unknown = await run(builder.build([bad, waiting])).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ message: 'it broke' });
  expect(error).not.toHaveProperty('location', location);
});

test('a changed step runs again, and so do its dependents unless its result is the same', async () => {
  const { run, ran } = setup();
  await run(chain('a', 'b', 'c'));
  await run(chain('a', 'x', 'c'));
  expect(ran).toEqual(['a', 'b', 'c', 'x']);
});

test('a step without cache runs again and its record is replaced', async () => {
  const { run, ran } = setup();
  await run(chain('a', '!b'));
  await run(chain('a', '!b'));
  expect(ran).toEqual(['a', '!b', '!b']);
});

test('independent steps run in parallel, up to the number of jobs', async () => {
  const builder = new GraphBuilder();
  const names = ['a', 'b', 'c', 'd'];
  const leaves = names.map((name) => builder.add(step(name)));
  const graph = builder.build([builder.add(step('all', undefined, leaves))]);
  for (const [jobs, expected] of [
    [undefined, 4],
    [2, 2],
    [1, 1],
  ] as const) {
    let [running, most] = [0, 0];
    const busy = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
    };
    const { run } = setup(Object.fromEntries(names.map((name) => [name, busy])));
    await run(graph, { jobs });
    expect(most).toBe(expected);
  }
});

test('the first failure is thrown with its location, running siblings are cancelled and later steps never start', async () => {
  const location = { file: 'Dockerfile', start: { line: 3, column: 1 }, end: { line: 3, column: 4 } };
  const untilAborted = (signal: AbortSignal) =>
    new Promise<void>((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(new TbuildError('CANCELLED', 'stopped'))),
    );
  const { run, ran, outcomes } = setup({
    bad: async () => {
      throw new TbuildError('PROCESS_FAILED', 'it broke');
    },
    slow: untilAborted,
    checking: (signal) => untilAborted(signal).catch(() => signal.throwIfAborted()),
  });
  const builder = new GraphBuilder();
  const slow = builder.add(step('slow'));
  const checking = builder.add(step('checking'));
  const bad = builder.add({ ...step('bad'), location });
  const graph = builder.build([builder.add(step('after', bad, [slow, checking]))]);
  await expect(run(graph)).rejects.toMatchObject({ message: 'it broke', location });
  expect(ran).toEqual(['slow', 'checking', 'bad']);
  expect(outcomes()).toEqual({ slow: 'cancelled', checking: 'cancelled', bad: 'failed' });
});

test('an abort by the caller ends as cancelled', async () => {
  const controller = new AbortController();
  const { run } = setup({ a: async () => controller.abort() });
  await expect(run(chain('a', 'b'), { signal: controller.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('a record without data suffices for cached dependents, and its step runs again for others', async () => {
  const { run, ran, gone } = setup();
  await run(chain('a', 'b', 'c'));
  gone.add(1).add(2);
  ran.length = 0;
  await run(chain('a', 'b', 'c'));
  expect(ran).toEqual([]);

  const needing = chain('a', 'b', 'c');
  const [, b] = needing.steps.keys();
  gone.clear();
  gone.add(2);
  await run(needing, { needed: [b as StepId] });
  expect(ran).toEqual(['b']);

  ran.length = 0;
  gone.add(1);
  expect([...(await run(chain('a', 'b', 'x'))).values()].map(({ result }) => result)).toEqual([1, 2, 3]);
  expect(ran).toEqual(['a', 'b', 'x']);
});

test('a result that a step finds missing is rebuilt once, without a visible failure and without other steps', async () => {
  let lost = 0;
  const { run, ran, gone, outcomes } = setup({
    x: async () => {
      if (++lost > 1) return;
      gone.add(1);
      throw new Lost(1);
    },
  });
  await run(chain('a', 'b'));
  ran.length = 0;
  const builder = new GraphBuilder();
  const [x, other] = [builder.add(step('x', builder.add(step('a')))), builder.add(step('other'))];
  await run(builder.build([builder.add(step('all', undefined, [x, other]))]));
  expect(ran.toSorted()).toEqual(['a', 'all', 'other', 'x', 'x']);
  expect(outcomes()).toEqual({ a: 'built', b: 'built', x: 'built', other: 'built', all: 'built' });
});

test('a result that is missing again after its step ran is an error', async () => {
  const { run, gone } = setup({
    x: async () => {
      gone.add(1);
      throw new Lost(1);
    },
  });
  await run(chain('a'));
  await expect(run(chain('a', 'x'))).rejects.toThrow('1 is gone');
});

test('a caller that finds a result missing can recover and solve again', async () => {
  const { run, ran, gone } = setup();
  const graph = chain('a', 'b', 'c');
  await run(graph);
  ran.length = 0;
  let tries = 0;
  const used = await run(graph, {
    async use() {
      if (++tries > 1) return;
      gone.add(2);
      throw new Lost(2);
    },
    needed: graph.steps.keys(),
  });
  expect([...used.values()].map(({ result }) => result)).toEqual([1, 2, 3]);
  expect([tries, ran]).toEqual([2, ['b']]);
});

test.each([
  ['that runs', [], false],
  ['that is cached', ['a'], true],
])('work that a step anticipates is aborted for one %s', async (_, known, isAborted) => {
  const graph = chain('a');
  const records = new Map<StepKey, number>();
  let anticipated: AbortSignal | undefined;
  const opFor = (): Op<number> => ({
    anticipate: ({ signal }) => void (anticipated = signal),
    prepare: async () => ({ key: stepKey(digestOf('key')), run: async () => 1 }),
  });
  if (known.length > 0) records.set(stepKey(digestOf('key')), 1);
  const cache: ResultCache<number> = {
    load: async (key) => (records.has(key) ? { result: 1, isWhole: true } : undefined),
    save: async (_key, result) => result,
  };
  const { signal } = new AbortController();
  await openSolver(graph, { opFor, cache, progress: { emit() {} }, now: () => 0, signal }).solve();
  expect(anticipated?.aborted).toBe(isAborted);
});

test('A step that starts before its key is known has started once, and does not wait for its inputs', async () => {
  const events: string[] = [];
  const opFor = (): Op<number> => ({
    anticipate: ({ onStart }) => onStart(),
    prepare: async () => ({ key: stepKey(digestOf('key')), gather: async () => {}, run: async () => 1 }),
  });
  const cache: ResultCache<number> = { load: async () => undefined, save: async (_key, result) => result };
  const progress = { emit: ({ type }: ProgressEvent): unknown => events.push(type) };
  const { signal } = new AbortController();
  const onUncached = (): unknown => events.push('uncached');
  await openSolver(chain('a'), { opFor, cache, progress, now: () => 0, onUncached, signal }).solve();
  expect(events).toEqual(['planned', 'uncached', 'started', 'uncached', 'finished']);
});

test('onUncached is called for steps that have to run only', async () => {
  const records = new Map([[stepKey(digestOf('a')), 1]]);
  let uncached = 0;
  const opFor = ({ name }: Step): Op<number> => ({
    prepare: async () => ({ key: stepKey(digestOf(name)), run: async () => 1 }),
  });
  const cache: ResultCache<number> = {
    load: async (key) => (records.has(key) ? { result: 1, isWhole: true } : undefined),
    save: async (_key, result) => result,
  };
  const { signal } = new AbortController();
  const onUncached = (): unknown => (uncached += 1);
  await openSolver(chain('a', 'b'), {
    opFor,
    cache,
    progress: { emit() {} },
    now: () => 0,
    onUncached,
    signal,
  }).solve();
  expect(uncached).toBe(1);
});
