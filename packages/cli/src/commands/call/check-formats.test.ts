import type { CheckReport } from '@tbuild/builder';
import { createWarning } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import { expect, test } from 'vitest';
import { formatCheck } from './check-formats.ts';

const text = 'FROM scratch\nENV a b\nENV a b\n';
const range = (line: number) => ({ file: 'Dockerfile', start: { line, column: 1 }, end: { line, column: 8 } });
const warn = (line: number, message = 'Legacy "a" <b>') =>
  createWarning('LegacyKeyValueFormat', message, { location: range(line) });

function report(...warnings: CheckReport['warnings']): CheckReport {
  return { source: { name: 'Dockerfile', text }, warnings };
}

function quality(of: CheckReport): { fingerprint: string; severity: string; location: object }[] {
  return JSON.parse(formatCheck('gitlab-codequality', of, 'app/Dockerfile'));
}

test('code quality names the place of a finding in the repository', () => {
  expect(quality(report(warn(2)))).toEqual([
    {
      description: 'Legacy "a" <b>',
      check_name: 'LegacyKeyValueFormat',
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      severity: 'minor',
      location: { path: 'app/Dockerfile', lines: { begin: 2 } },
    },
  ]);
});

test('a finding keeps its fingerprint when lines are added above it, and equal ones have their own', () => {
  const before = quality(report(warn(2), warn(3)));
  const later = report({ ...warn(2), location: range(3) }, { ...warn(3), location: range(4) });
  const moved = quality({ ...later, source: { name: 'Dockerfile', text: `# comment\n${text}` } });
  expect(new Set(before.map(({ fingerprint }) => fingerprint)).size).toBe(2);
  expect(moved.map(({ fingerprint }) => fingerprint)).toEqual(before.map(({ fingerprint }) => fingerprint));
});

test('an error that fails a build is a blocker', () => {
  const error = new TbuildError('DOCKERFILE_SYNTAX', 'Unknown instruction', { location: range(1) });
  expect(quality({ ...report(), error })).toMatchObject([{ check_name: 'BuildError', severity: 'blocker' }]);
});

test('SARIF holds rule, place and page of a finding', () => {
  const { version, runs } = JSON.parse(formatCheck('sarif', report(warn(2)), 'my app/Dockerfile'));
  expect(version).toBe('2.1.0');
  expect(runs[0].tool.driver.rules).toEqual([
    expect.objectContaining({
      id: 'LegacyKeyValueFormat',
      helpUri: expect.stringContaining('legacy-key-value-format'),
    }),
  ]);
  const [{ locations, level }] = runs[0].results;
  expect(level).toBe('warning');
  expect(locations[0].physicalLocation).toEqual({
    artifactLocation: { uri: 'my%20app/Dockerfile' },
    region: { startLine: 2, startColumn: 1, endLine: 2, endColumn: 8 },
  });
});

test('JUnit has a test for each rule, and escapes what a message holds', () => {
  const xml = formatCheck('junit', report(warn(2), warn(3, 'two\nlines \0')), 'Dockerfile');
  expect(xml).toContain('<testcase name="StageNameCasing" classname="Dockerfile" file="Dockerfile"/>');
  expect(xml.match(/<failure /g)).toHaveLength(2);
  expect(xml).toContain('message="Legacy &quot;a&quot; &lt;b&gt;"');
  expect(xml).toContain('message="two&#10;lines \ufffd"');
  expect(xml).toMatch(/<testsuites name="tbuild" tests="\d+" failures="1" errors="0">/);
});
