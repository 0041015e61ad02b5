import { expect, test } from 'vitest';
import { GraphBuilder, type Step, type StepOp } from './index.ts';

const mkdir = (path: string): StepOp => ({ kind: 'mkdir', path, mode: 0o755, user: '' });
const step = (path: string, rest: Partial<Step> = {}): Omit<Step, 'id'> => ({
  op: mkdir(path),
  sources: [],
  name: path,
  noCache: false,
  ...rest,
});

test('the id of a step depends on its op and inputs, not on its name', () => {
  const graph = new GraphBuilder();
  const first = graph.add(step('/a', { name: 'first' }));
  expect(graph.add(step('/a', { name: 'second', location: undefined }))).toBe(first);
  const ids = [
    first,
    graph.add(step('/b')),
    graph.add(step('/a', { base: first })),
    graph.add(step('/a', { sources: [first] })),
  ];
  expect(new Set(ids).size).toBe(4);
  expect(graph.build([first]).steps.get(first)?.name).toBe('first');
});

test('the order of the members of an op does not change the id', () => {
  const graph = new GraphBuilder();
  const id = graph.add(step('/a'));
  expect(graph.add({ ...step('/a'), op: { user: '', mode: 0o755, path: '/a', kind: 'mkdir' } })).toBe(id);
});

test('a shared step runs without the cache if one of its users wants that', () => {
  const graph = new GraphBuilder();
  const id = graph.add(step('/a'));
  graph.add(step('/a', { noCache: true }));
  graph.add(step('/a'));
  expect(graph.build([id]).steps.get(id)?.noCache).toBe(true);
});

test('a graph holds the steps that its targets need, inputs first', () => {
  const graph = new GraphBuilder();
  const unused = graph.add(step('/unused'));
  const base = graph.add(step('/base'));
  const source = graph.add(step('/source', { base }));
  const top = graph.add(step('/top', { base, sources: [source] }));
  const other = graph.add(step('/other', { base: top }));
  expect([...graph.build([top]).steps.keys()]).toEqual([base, source, top]);
  expect([...graph.build([other, unused]).steps.keys()]).toEqual([unused, base, source, top, other]);
  expect(graph.build([]).steps.size).toBe(0);
});

test('a step is refused before its inputs', () => {
  const graph = new GraphBuilder();
  const missing = new GraphBuilder().add(step('/elsewhere'));
  expect(() => graph.add(step('/a', { base: missing }))).toThrow('Step "/a" has an input that is not in the graph');
  expect(() => graph.build([missing])).toThrow('is not in the graph');
});
