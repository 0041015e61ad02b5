import type { ProgressEvent } from '@tbuild/progress';
import { expect, test } from 'vitest';
import { emptyView, reduce } from './build-view.ts';
import { jsonLine } from './json.ts';

const events: readonly ProgressEvent[] = [
  { type: 'planned', steps: [{ id: 'sha256:aa', inputs: ['sha256:cc'], name: '[1/1] RUN x' }] },
  { type: 'started', step: 'sha256:aa', at: 1000 },
  { type: 'log', step: 'sha256:aa', stream: 'stderr', data: Buffer.from('hi\n') },
  { type: 'transfer', step: 'sha256:aa', item: 'x', current: 5, total: 5 },
  {
    type: 'warning',
    step: 'sha256:aa',
    message: 'W',
    detail: 'D',
    url: 'https://example.org',
    location: { file: 'Dockerfile', start: { line: 3, column: 1 }, end: { line: 3, column: 4 } },
  },
  { type: 'finished', step: 'sha256:aa', at: 2500, outcome: 'failed', error: 'E' },
];

test('rawjson omits a waiting step, and a step that starts again has a new start and no end', () => {
  const again: readonly ProgressEvent[] = [
    { type: 'waiting', step: 'sha256:bb', at: 3000 },
    { type: 'started', step: 'sha256:aa', at: 3000 },
  ];
  let view = events.reduce((before, event) => reduce(before, event, 2000), emptyView);
  const lines = again.map((event) => {
    view = reduce(view, event, 3000);
    return jsonLine(view, event, 3000);
  });
  const vertex = {
    digest: 'sha256:aa',
    inputs: ['sha256:cc'],
    name: '[1/1] RUN x',
    started: '1970-01-01T00:00:03.000Z',
  };
  expect(lines).toEqual(['', `${JSON.stringify({ vertexes: [vertex] })}\n`]);
});

test('each event is one line of rawjson', () => {
  let view = emptyView;
  const lines = events.map((event) => {
    view = reduce(view, event, 2000);
    return JSON.parse(jsonLine(view, event, 2000));
  });
  const vertex = { digest: 'sha256:aa', inputs: ['sha256:cc'], name: '[1/1] RUN x' };
  expect(lines).toEqual([
    { vertexes: [vertex] },
    { vertexes: [{ ...vertex, started: '1970-01-01T00:00:01.000Z' }] },
    { logs: [{ vertex: 'sha256:aa', stream: 2, data: 'aGkK', timestamp: '1970-01-01T00:00:02.000Z' }] },
    {
      statuses: [
        {
          id: 'x',
          vertex: 'sha256:aa',
          current: 5,
          total: 5,
          timestamp: '1970-01-01T00:00:02.000Z',
          started: '1970-01-01T00:00:02.000Z',
          completed: '1970-01-01T00:00:02.000Z',
        },
      ],
    },
    {
      warnings: [
        {
          vertex: 'sha256:aa',
          level: 1,
          short: 'VyAobGluZSAzKQ==',
          detail: ['RA=='],
          url: 'https://example.org',
          sourceInfo: { filename: 'Dockerfile' },
          range: [{ start: { line: 3, character: 0 }, end: { line: 3, character: 3 } }],
        },
      ],
    },
    {
      vertexes: [{ ...vertex, started: '1970-01-01T00:00:01.000Z', completed: '1970-01-01T00:00:02.500Z', error: 'E' }],
    },
  ]);
});
