import { expect, test } from 'vitest';
import { parseDescriptor, parseImageConfig } from './index.ts';

const parse = (document: object) => parseImageConfig(Buffer.from(JSON.stringify(document)));

test('null counts as absent in each field and as an empty string inside a list', () => {
  const fields = ['Env', 'Cmd', 'Entrypoint', 'Labels', 'Volumes', 'User', 'Shell', 'OnBuild', 'Healthcheck'];
  const nulls = Object.fromEntries(fields.map((name) => [name, null]));
  expect(parse({ config: nulls, rootfs: null, history: null, created: null })).toMatchObject({
    config: {},
    diffIds: [],
    history: [],
  });
  expect(parse({ config: { Env: ['A=b', null], Labels: { a: null }, Volumes: { '/v': null } } }).config).toEqual({
    Env: ['A=b', ''],
    Labels: { a: '' },
    Volumes: { '/v': {} },
  });
  expect(parse({ history: [{ created_by: null, empty_layer: null }] }).history).toEqual([{}]);
});

test('names of fields match without regard to case, as in Go, but not those of labels and ports', () => {
  const read = parse({
    OS: 'linux',
    Architecture: 'amd64',
    Config: {
      env: ['A=b'],
      CMD: ['sh'],
      labels: { Name: 'x', name: 'y' },
      healthcheck: { test: ['NONE'], RETRIES: 2 },
    },
    RootFS: { Diff_IDs: [`sha256:${'0'.repeat(64)}`] },
    History: [{ Created_By: 'RUN x', empty_Layer: true }],
    created: '2020-01-01T00:00:00Z',
    CREATED: '2021-01-01T00:00:00Z',
  });
  expect(read).toEqual({
    platform: { os: 'linux', architecture: 'amd64' },
    config: {
      Env: ['A=b'],
      Cmd: ['sh'],
      Labels: { Name: 'x', name: 'y' },
      Healthcheck: { Test: ['NONE'], Retries: 2 },
    },
    diffIds: [`sha256:${'0'.repeat(64)}`],
    history: [{ created_by: 'RUN x', empty_layer: true }],
    created: '2021-01-01T00:00:00Z',
  });
});

const wrong: [field: string, document: object][] = [
  ['Env', { config: { Env: 'A=b' } }],
  ['Env', { config: { Env: [1] } }],
  ['Cmd', { config: { Cmd: 'sh' } }],
  ['Labels', { config: { Labels: ['a'] } }],
  ['Labels', { config: { Labels: { a: 1 } } }],
  ['ExposedPorts', { config: { ExposedPorts: [80] } }],
  ['User', { config: { User: 7 } }],
  ['Healthcheck', { config: { Healthcheck: { Interval: '1s' } } }],
  ['history.created_by', { history: [{ created_by: 5 }] }],
  ['history.empty_layer', { history: [{ empty_layer: 'x' }] }],
];

test.each(wrong)('a field of the wrong type is named: %s in %j', (field, document) => {
  expect(() => parse(document)).toThrow(
    expect.objectContaining({ code: 'REGISTRY', message: expect.stringContaining(JSON.stringify(field)) }),
  );
});

test('null fields of a descriptor count as absent', () => {
  const target = { mediaType: 'text/plain', digest: `sha256:${'0'.repeat(64)}`, size: 1 };
  expect(parseDescriptor({ ...target, annotations: null, platform: null })).toEqual(target);
});
