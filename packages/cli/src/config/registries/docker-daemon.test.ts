import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readDockerDaemon } from './docker-daemon.ts';

const directory = mkdtempSync(join(tmpdir(), 'tbuild-daemon-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'daemon.json');

test.each([
  [
    '{"registry-mirrors":["https://mirror.example"],"insecure-registries":["10.0.0.0/8","reg:5000"],"debug":true}',
    { mirrors: ['https://mirror.example'], insecure: ['10.0.0.0/8', 'reg:5000'] },
  ],
  ['{"registry-mirrors":"no list","insecure-registries":[1]}', { mirrors: [], insecure: [] }],
  ['[]', { mirrors: [], insecure: [] }],
])('%s', (text, expected) => {
  writeFileSync(file, text);
  expect(readDockerDaemon(file)).toEqual(expected);
});

test('a missing daemon.json has no settings, and a damaged one is refused by name', () => {
  expect(readDockerDaemon(join(directory, 'absent.json'))).toEqual({ mirrors: [], insecure: [] });
  writeFileSync(file, '{');
  expect(() => readDockerDaemon(file)).toThrow(`Configuration ${JSON.stringify(file)} is not valid JSON`);
});
