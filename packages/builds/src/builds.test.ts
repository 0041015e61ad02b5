import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { GraphBuilder } from '@tbuild/graph';
import { storeLayout } from '@tbuild/store';
import { afterAll, expect, test } from 'vitest';
import {
  buildId,
  createBuildRef,
  findBuild,
  listBuilds,
  openRecorder,
  type Recorder,
  readEvents,
  removableBuilds,
  removeBuild,
  tidyBuilds,
} from './index.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tbuild-builds-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const newStore = () => storeLayout(mkdtempSync(join(scratch, 'store-')));
type Store = ReturnType<typeof newStore>;

function record(store: Store, startedAt: number, requests: Readonly<Record<string, unknown>> = {}) {
  const id = buildId(createBuildRef(startedAt));
  const recorder = openRecorder(
    { id, name: 'app', startedAt, host: {}, requests },
    { store, now: () => startedAt + 5 },
  );
  return { id, recorder };
}

function completed(store: Store, startedAt: number): string {
  const { id, recorder } = record(store, startedAt);
  recorder.completed({});
  return id;
}

function log(recorder: Recorder, data: Uint8Array): void {
  recorder.emit({ type: 'log', step: 's', stream: 'stdout', data });
}

test('the IDs of builds have the form of buildx and sort by the time', () => {
  const refs = [1, 1_700_000_000_000, 1_800_000_000_000].map(createBuildRef);
  for (const ref of refs) expect(ref).toMatch(/^default\/default\/[0-9a-z]{25}$/);
  expect(refs.toSorted()).toEqual(refs);
  expect(new Set(Array.from({ length: 50 }, () => createBuildRef(1))).size).toBe(50);
});

test('a record has the steps with their results, and events with output of any bytes', () => {
  const store = newStore();
  const { id, recorder } = record(store, 1000);
  const graph = new GraphBuilder();
  const step = graph.add({
    op: { kind: 'mkdir', path: '/a', mode: 0o755, user: '' },
    sources: [],
    name: '[1/1] WORKDIR /a',
    noCache: false,
  });
  recorder.planned(graph.build([step]), [{ target: '', step, config: { WorkingDir: '/a', Env: ['A=b'] } }]);
  recorder.definition({ name: 'Dockerfile', text: 'FROM scratch\n' });
  recorder.emit({ type: 'finished', step, at: 1001, outcome: 'cached' });
  recorder.solved(step, { key: 'sha256:k', result: 'sha256:r' });
  recorder.emit({ type: 'warning', message: 'w' });
  log(recorder, Buffer.from('grün\n'));
  log(recorder, Uint8Array.of(0xff, 0));
  recorder.completed({ '': { id: 'sha256:i' } });
  expect(findBuild(store)).toMatchObject({
    id,
    status: 'completed',
    completedAt: 1005,
    definitions: { Dockerfile: 'FROM scratch\n' },
    steps: [{ id: step, kind: 'mkdir', key: 'sha256:k', result: 'sha256:r' }],
    images: [{ step, cwd: '/a', env: ['A=b'], user: '' }],
    counts: { total: 1, cached: 1, built: 0 },
    warnings: 1,
    results: { '': { id: 'sha256:i' } },
  });
  const output = [...readEvents(store, id)].flatMap(({ event }) => (event.type === 'log' ? [...event.data] : []));
  expect(Buffer.from(output)).toEqual(Buffer.concat([Buffer.from('grün\n'), Buffer.of(0xff, 0)]));
});

test('a record holds neither values of secret names nor credentials in URLs', () => {
  const store = newStore();
  const request = { buildArgs: { API_TOKEN: 'hush1', VERSION: '2' }, context: { url: 'https://me:hush2@host/a.git' } };
  const { id, recorder } = record(store, 1000, { '': request });
  const graph = new GraphBuilder();
  const env = ['DB_PASSWORD=hush3', 'PROXY=http://me:hush4@proxy'];
  const platform = { os: 'linux', architecture: 'amd64' };
  const run = { kind: 'run', args: ['true'], env, cwd: '/', user: '', hostname: 'h', network: 'none' } as const;
  const step = graph.add({
    op: { ...run, security: 'sandbox', mounts: [], platform },
    sources: [],
    name: 'RUN true',
    noCache: false,
  });
  recorder.planned(graph.build([step]), [{ target: '', step, config: { Env: env } }]);
  recorder.ended(new TbuildError('PROCESS_FAILED', 'no', { hint: 'h' }));
  const text = readFileSync(join(store.build(id), 'record'), 'utf8');
  expect(text).not.toContain('hush');
  expect(findBuild(store)).toMatchObject({
    status: 'error',
    error: { code: 'PROCESS_FAILED', message: 'no', hint: 'h' },
    requests: { '': { buildArgs: { API_TOKEN: '***', VERSION: '2' }, context: { url: 'https://host/a.git' } } },
  });
});

test('a record has the variables of a Dockerfile, whatever their names, when no argument is a secret', () => {
  const store = newStore();
  const { id, recorder } = record(store, 1000, { '': { buildArgs: { VERSION: '2', API_TOKEN: '' } } });
  const env = ['SECRET_KEY_BASE=dummy'];
  recorder.planned(new GraphBuilder().build([]), [{ target: '', config: { Env: env } }]);
  recorder.completed({});
  expect(findBuild(store, id).images).toMatchObject([{ env }]);
});

test('a record stays readable when a secret is a word of its own or a part of a digest', () => {
  const store = newStore();
  const digest = `sha256:${'abcd'.repeat(16)}`;
  const buildArgs = { API_TOKEN: 'abcd', DB_PASSWORD: 'error', SECRET_ONE: 'log', A_KEY: 'stdout' };
  const { id, recorder } = record(store, 1000, { '': { buildArgs } });
  recorder.solved('s', { key: digest, result: digest });
  log(recorder, Buffer.from(`abcd /abcd: abcdef ${digest} error\n`));
  recorder.failed({ step: 's', tree: digest });
  recorder.ended(new TbuildError('PROCESS_FAILED', 'an error of abcd'));
  expect(findBuild(store)).toMatchObject({
    status: 'error',
    error: { message: 'an *** of ***' },
    failed: { tree: digest },
    requests: { '': { buildArgs: { API_TOKEN: '***', DB_PASSWORD: '***' } } },
  });
  const [{ event } = { event: undefined }] = readEvents(store, id);
  const output = event?.type === 'log' ? Buffer.from(event.data).toString() : '';
  expect(output).toBe(`*** /***: abcdef ${digest} ***\n`);
});

test('removing all builds takes those that were killed along, unless a build runs', () => {
  const store = newStore();
  const [whole, killed] = [completed(store, 1000), buildId(createBuildRef(2000))];
  mkdirSync(store.build(killed), { recursive: true });
  const now = Date.now();
  expect(removableBuilds(store, now)).toEqual([killed, whole]);
  // The lease of a build in another container.
  mkdirSync(store.leases, { recursive: true });
  writeFileSync(join(store.leases, '1-1-elsewhere'), '');
  expect(removableBuilds(store, now)).toEqual([whole]);
});

test('builds are found by ID, by its beginning, by ref and by their place from the end', () => {
  const store = newStore();
  const ids = [1e12, 1.1e12, 1.2e12].map((at) => completed(store, at));
  const [first = '', second = '', third = ''] = ids;
  expect([...listBuilds(store)].map(({ id }) => id)).toEqual([third, second, first]);
  expect(findBuild(store).id).toBe(third);
  expect(findBuild(store, '^1').id).toBe(second);
  expect(findBuild(store, second).id).toBe(second);
  expect(findBuild(store, `default/default/${first}`).id).toBe(first);
  expect(findBuild(store, first.slice(0, 12)).id).toBe(first);
  expect(() => findBuild(store, '0')).toThrow('Several builds begin with "0"');
  expect(() => findBuild(store, '^3')).toThrow('No build "^3" is recorded');
  expect(() => findBuild(newStore())).toThrow('The store has no record of a build');
});

test('a build that was killed, and a damaged record, are not listed', () => {
  const store = newStore();
  const id = completed(store, 1e12);
  mkdirSync(store.build(buildId(createBuildRef(1.1e12))));
  const damaged = completed(store, 1.2e12);
  writeFileSync(join(store.build(damaged), 'record'), '{"form":1,"id":');
  expect([...listBuilds(store)].map((one) => one.id)).toEqual([id]);
  appendFileSync(join(store.build(id), 'events'), '[1,{"type":"war');
  expect([...readEvents(store, id)]).toEqual([]);
});

test('a transfer is recorded by its beginning and its end', () => {
  const store = newStore();
  const { id, recorder } = record(store, 1000);
  for (const current of [1, 2, 3, 4]) recorder.emit({ type: 'transfer', step: 's', item: 'i', current, total: 4 });
  recorder.completed({});
  const seen = [...readEvents(store, id)].map(({ event }) => event.type === 'transfer' && event.current);
  expect(seen).toEqual([1, 4]);
});

test('much output is written while the build runs, and clipped at 64 MiB', () => {
  const store = newStore();
  const { id, recorder } = record(store, 1000);
  const chunk = Buffer.alloc(1 << 20, 'x');
  log(recorder, chunk);
  expect(existsSync(join(store.build(id), 'events'))).toBe(true);
  for (let count = 0; count < 70; count++) log(recorder, chunk);
  recorder.completed({});
  const output = [...readEvents(store, id)].flatMap(({ event }) => (event.type === 'log' ? [event.data] : []));
  expect(output.reduce((sum, data) => sum + data.length, 0)).toBeLessThan(65 << 20);
  expect(Buffer.from(output.at(-1) ?? []).toString()).toContain('keeps no more output');
});

test('a record that cannot be written does not fail', () => {
  const store = newStore();
  writeFileSync(store.builds, '');
  expect(() => completed(store, 1000)).not.toThrow();
});

test('old records are removed, and those beyond a hundred twenty at a time', () => {
  const store = newStore();
  const now = 1.7e12;
  const day = 24 * 3600 * 1000;
  completed(store, now - 31 * day);
  const startsLeft = (): readonly number[] => {
    tidyBuilds(store, now, { hasFailed: false });
    return [...listBuilds(store)].map(({ startedAt }) => startedAt - now);
  };
  const newest = (length: number): readonly number[] => Array.from({ length }, (_, at) => -1 - at);
  for (let count = 1; count < 119; count++) completed(store, now - count);
  expect(startsLeft()).toEqual(newest(118));
  for (const count of [119, 120]) completed(store, now - count);
  expect(startsLeft()).toEqual(newest(100));
});

test('the trees of three failed builds are kept, and each goes with its record', () => {
  const store = newStore();
  const fail = (at: number) => {
    const hash = `${at}`.padStart(64, '0');
    const { id, recorder } = record(store, at);
    mkdirSync(store.snapshot(hash), { recursive: true });
    recorder.failed({ step: 's', tree: `sha256:${hash}` });
    recorder.ended(new Error('x'));
    return { id, tree: store.snapshot(hash) };
  };
  const builds = [1e12, 2e12, 3e12, 4e12].map(fail);
  tidyBuilds(store, 4e12, { hasFailed: true });
  // The oldest record goes with the age of thirty days, its tree because three are newer.
  expect(builds.map(({ tree }) => existsSync(tree))).toEqual([false, false, false, true]);
  const recent = [4e12 + 1, 4e12 + 2, 4e12 + 3].map(fail);
  tidyBuilds(store, 4e12 + 3, { hasFailed: true });
  expect(builds.map(({ tree }) => existsSync(tree))).toEqual([false, false, false, false]);
  expect(recent.map(({ tree }) => existsSync(tree))).toEqual([true, true, true]);
  expect(findBuild(store).failed?.step).toBe('s');
  removeBuild(store, recent[2]?.id ?? '');
  expect(recent.map(({ tree }) => existsSync(tree))).toEqual([true, true, false]);
});
