import { createHash } from 'node:crypto';
import type { CheckReport } from '@tbuild/builder';
import { describeRule, isRuleName, ruleNames } from '@tbuild/dockerfile';
import type { SourceRange } from '@tbuild/errors';
import { VERSION } from '../../startup/version.ts';
import type { CheckFormat } from './call-spec.ts';

/** Something that a check found, or the error that a build would fail with. */
interface Problem {
  readonly rule: string;
  readonly message: string;
  readonly url?: string;
  readonly location?: SourceRange;
  readonly isError: boolean;
}

/** Returns a report in one of these formats. `path` is that of the Dockerfile from the root of the repository. */
export function formatCheck(format: CheckFormat, report: CheckReport, path: string): string {
  return WRITERS[format](problemsOf(report), path, report.source.text);
}

type Writer = (problems: readonly Problem[], path: string, text: string) => string;

const WRITERS: Readonly<Record<CheckFormat, Writer>> = {
  'gitlab-codequality': (problems, path, text) => `${JSON.stringify(codeQuality(problems, path, text), null, 2)}\n`,
  sarif: (problems, path) => `${JSON.stringify(sarif(problems, path), null, 2)}\n`,
  junit,
};

/** The rule of an error that fails every build. */
const BUILD_ERROR = 'BuildError';

function problemsOf({ warnings, error }: CheckReport): readonly Problem[] {
  const found = warnings.map(({ rule, message, url, location }) => ({ rule, message, url, location, isError: false }));
  if (error === undefined) return found;
  return [...found, { rule: BUILD_ERROR, message: error.message, location: error.location, isError: true }];
}

/** The schema is that of Code Climate, as GitLab reads it. */
function codeQuality(problems: readonly Problem[], path: string, text: string): readonly object[] {
  const lines = text.split('\n');
  const seen = new Map<string, number>();
  return problems.map(({ rule, message, location, isError }) => {
    const line = location?.start.line ?? 1;
    // Without the number of the line, so that a finding stays the same when lines are added above it.
    const subject = JSON.stringify([path, rule, message, lines[line - 1]?.trim()]);
    const count = seen.get(subject) ?? 0;
    seen.set(subject, count + 1);
    return {
      description: message,
      check_name: rule,
      fingerprint: createHash('sha256').update(`${subject}${count}`).digest('hex'),
      severity: isError ? 'blocker' : 'minor',
      location: { path, lines: { begin: line } },
    };
  });
}

function sarif(problems: readonly Problem[], path: string): object {
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'tbuild',
            version: VERSION,
            rules: [...new Set(problems.map(({ rule }) => rule))].map(sarifRule),
          },
        },
        results: problems.map(({ rule, message, location, isError }) => ({
          ruleId: rule,
          level: isError ? 'error' : 'warning',
          message: { text: message },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: encodeURI(path) },
                ...(location === undefined ? {} : { region: regionOf(location) }),
              },
            },
          ],
        })),
      },
    ],
  };
}

function sarifRule(rule: string): object {
  if (!isRuleName(rule)) return { id: rule };
  const { description, url } = describeRule(rule);
  return { id: rule, shortDescription: { text: description }, helpUri: url };
}

function regionOf({ start, end }: SourceRange): object {
  return { startLine: start.line, startColumn: start.column, endLine: end.line, endColumn: end.column };
}

/** Each rule is a test, which fails once for each finding. */
function junit(problems: readonly Problem[], path: string): string {
  const tests = [...ruleNames(), BUILD_ERROR].map((rule) => {
    const found = problems.filter((problem) => problem.rule === rule);
    const failures = found.map(({ message, location, url }) => {
      const place = `${path}:${location?.start.line ?? 1}`;
      return `\n      <failure message="${xml(message)}" type="${rule}">${xml([place, message, url].filter(Boolean).join('\n'))}</failure>`;
    });
    const body = failures.length === 0 ? '/>' : `>${failures.join('')}\n    </testcase>`;
    return `    <testcase name="${rule}" classname="${xml(path)}" file="${xml(path)}"${body}`;
  });
  const failed = new Set(problems.map(({ rule }) => rule)).size;
  const counts = `tests="${tests.length}" failures="${failed}" errors="0"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="tbuild" ${counts}>`,
    `  <testsuite name="${xml(path)}" ${counts}>`,
    ...tests,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
};

function xml(text: string): string {
  // Characters that XML cannot hold at all.
  return (
    text
      // oxlint-disable-next-line no-control-regex
      .replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd')
      .replace(/[&<>"\n]/g, (one) => ENTITIES[one] ?? one)
  );
}
