import { visible } from '@tbuild/errors';
import { formatBytes, formatSeconds } from '@tbuild/tui';
import { formatAge } from '../print/table.ts';
import type { ExplainedDockerfile } from './explain-dockerfile.ts';
import { type Advice, countedFiles, type ExplainedLine, type Input } from './explained.ts';

export interface FormatExplained {
  /** In columns. */
  readonly width: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Returns the lines of a Dockerfile with their costs in the margin, and below each what runs it again and advice. */
export function formatExplained(explained: ExplainedDockerfile, { width, now }: FormatExplained): string {
  const { build, lines, advice } = explained;
  const when =
    build === undefined
      ? 'no build of this context is recorded: times and sizes are unknown'
      : `last build ${build.id}, ${formatAge(new Date(build.startedAt).toISOString(), now)}`;
  const rows = lines.flatMap((line) =>
    formatLine(line, { width, advice: advice.filter((one) => one.line === line.line) }),
  );
  const foot = advice.length === 0 ? 'No advice.' : `Advice: ${advice.length}.`;
  const all = [
    ...wrapped(`${explained.name} (${when})`, { width, indent: '' }),
    `${'LINE'.padStart(5)}${'TIME'.padStart(8)}${'SIZE'.padStart(9)}`,
    ...rows,
    '',
    ...wrapped(`${foot} A line also runs again after a line above it in its stage ran.`, { width, indent: '' }),
    '',
  ];
  return visible(all.join('\n'));
}

const MARGIN = ' '.repeat(24);

function formatLine(
  { line, instruction, inputs, cost }: ExplainedLine,
  { width, advice }: { readonly width: number; readonly advice: readonly Advice[] },
): readonly string[] {
  const { milliseconds, bytes } = cost;
  const time = milliseconds === undefined ? '' : formatSeconds(milliseconds);
  const size = bytes === undefined ? '' : formatBytes(bytes);
  const text = instruction.line.replace(/\s+/g, ' ');
  const room = width - MARGIN.length;
  const shown = text.length <= room ? text : `${text.slice(0, room - 1)}…`;
  const margin = `${String(line).padStart(5)}${time.padStart(8)}${size.padStart(9)}  `;
  const note = (text: string) => wrapped(text, { width, indent: `${MARGIN}  ` });
  const list = (heading: string, listed: readonly Input[]) =>
    listed.length === 0 ? [] : note(`${heading}: ${listed.map(describe).join('; ')}`);
  return [
    margin + shown,
    ...list(
      'runs again with',
      inputs.filter(({ kind }) => kind !== 'secret'),
    ),
    ...list(
      'does not run again with',
      inputs.filter(({ kind }) => kind === 'secret'),
    ),
    ...advice.flatMap(({ message }) => note(`advice: ${message}`)),
  ];
}

function describe(input: Input): string {
  switch (input.kind) {
    case 'image':
      return input.isPinned ? `nothing: ${input.name} names a digest` : `another image behind ${input.name}`;
    case 'stage':
      return `other files of ${/^\d+$/.test(input.name) ? 'stage ' : ''}${input.name}`;
    case 'remote':
      return `other content of ${input.url}`;
    case 'argument':
      return `another value of ${input.name}`;
    case 'secret':
      return `another value of secret ${input.id}`;
    case 'files':
      return input.count === undefined
        ? `other files at ${input.sources.join(', ')}`
        : `a change in ${countedFiles(input.count)} (${formatBytes(input.bytes ?? 0)})`;
  }
}

/** Returns the lines of a text that is broken between words. */
function wrapped(
  text: string,
  { width, indent }: { readonly width: number; readonly indent: string },
): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const next = line === '' ? word : `${line} ${word}`;
    if (line !== '' && indent.length + next.length > width) {
      lines.push(indent + line);
      line = word;
    } else line = next;
  }
  return [...lines, indent + line];
}

/** Returns the same as plain data. */
export function explainedDocument({ name, lines, advice, build }: ExplainedDockerfile): object {
  return {
    dockerfile: name,
    build: build === undefined ? undefined : { id: build.id, startedAt: new Date(build.startedAt).toISOString() },
    lines: lines.map(({ line, stage, instruction, inputs, cost }) => ({
      line,
      stage: stage.name ?? String(stage.index),
      instruction: instruction.line,
      ...cost,
      inputs,
      advice: advice.filter((one) => one.line === line).map(({ rule, message }) => ({ rule, message })),
    })),
  };
}
