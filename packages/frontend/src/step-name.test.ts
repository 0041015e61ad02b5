import { expect, test } from 'vitest';
import { GrowingMap } from './growing.ts';
import { commandLine, stepName, summarizeHeredoc, type Numbering, type StepLabel } from './step-name.ts';

const arm = { os: 'linux', architecture: 'arm64' };
const declared = (platform: string) => GrowingMap.of([['TARGETPLATFORM', platform]]);

const names: [numbering: Numbering, label: StepLabel, name: string][] = [
  [{ total: 4 }, { position: 2, command: 'RUN make' }, '[2/4] RUN make'],
  [{ total: 12, stageName: 'build' }, { position: 2, command: 'RUN make' }, '[build  2/12] RUN make'],
  [{ total: 2, stageName: 'stage-1' }, { position: 2, command: 'RUN x', trigger: true }, '[stage-1 2/2] ONBUILD RUN x'],
  [{ total: 0, stageName: 'a' }, { position: 1, command: 'FROM x' }, 'FROM x'],
  [{ total: 2, stageName: 'a', platform: arm }, { position: 1, command: 'RUN x' }, '[linux/arm64 a 1/2] RUN x'],
  [
    { total: 2, platform: arm },
    { position: 1, command: 'RUN x', env: declared('linux/amd64') },
    '[linux/arm64->amd64 1/2] RUN x',
  ],
  [
    { total: 2, platform: arm },
    { position: 1, command: 'RUN x', env: declared('windows/amd64') },
    '[linux/arm64->windows/amd64 1/2] RUN x',
  ],
  [
    { total: 2, platform: arm },
    { position: 1, command: 'RUN x', env: GrowingMap.of([['TARGETARCH', 'arm']]) },
    '[linux/arm64->arm/v7 1/2] RUN x',
  ],
  [
    { total: 2, platform: arm },
    { position: 1, command: 'RUN x', env: declared('linux/arm64') },
    '[linux/arm64 1/2] RUN x',
  ],
];

test.each(names)('the name of %j with %j is %s', (numbering, label, name) => {
  expect(stepName(numbering, label)).toBe(name);
});

const lines: [text: string, line: string][] = [
  ['run make', 'RUN make'],
  ['RUN a && \\\n    b', 'RUN a &&     b'],
  ['RUN a \\\n# why\n\n  && b \\  \n  && c', 'RUN a   && b   && c'],
  ['COPY <<EOF /a\ntext\nEOF', 'COPY <<EOF /a'],
  ['RUN echo \\\\\nb', 'RUN echo \\\\'],
  ['RUN \\\n  x', 'RUN   x'],
];

test.each(lines)('the instruction %j on one line is %j', (text, line) => {
  expect(commandLine(text, '\\')).toBe(line);
});

test('a backtick continues lines if it is the escape character', () => {
  expect(commandLine('RUN a `\n b \\\n', '`')).toBe('RUN a  b \\');
});

test('the name of a heredoc step shows its first line', () => {
  expect(summarizeHeredoc('\n one\ntwo\n')).toBe('one...');
  expect(summarizeHeredoc('one\n')).toBe('one');
});
