import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDockerfile, type Dockerfile, type Instruction } from '@tbuild/dockerfile';
import { TbuildError, type SourceRange } from '@tbuild/errors';
import { describe, expect, test } from 'vitest';

// Each case is a folder with a Dockerfile and either ast.json, what it means, or error.txt, why it is
// refused. `UPDATE_GOLDENS=1` rewrites them; read the difference before it is committed.
const root = join(import.meta.dirname, '../fixtures/dockerfiles');
const update = process.env.UPDATE_GOLDENS === '1';

describe('fixtures/dockerfiles', () => {
  test.each(readdirSync(root).filter((name) => existsSync(join(root, name, 'Dockerfile'))))('%s', (name) => {
    const folder = join(root, name);
    const paths = { ast: join(folder, 'ast.json'), error: join(folder, 'error.txt') };
    const outcome = parse(readFileSync(join(folder, 'Dockerfile'), 'utf8'));
    const refused = outcome instanceof TbuildError;
    if (update) rmSync(refused ? paths.ast : paths.error, { force: true });
    if (refused) checkGolden(paths.error, renderError(outcome));
    else checkGolden(paths.ast, `${JSON.stringify(renderDockerfile(outcome), null, 2)}\n`);
  });

  test.each(readdirSync(root).filter((name) => existsSync(join(root, name, 'ast.json'))))('places in %s', (name) => {
    const { text, globalArgs, stages } = parseDockerfile(readFileSync(join(root, name, 'Dockerfile'), 'utf8'));
    const instructions = [...globalArgs, ...stages.flatMap((stage) => [stage.from, ...stage.instructions])];
    for (const instruction of instructions) {
      expect(sliceRange(text, instruction.location)).toBe(instruction.text);
      for (const word of wordsIn(instruction)) {
        expect(withoutEscapes(sliceRange(text, word.location))).toContain(withoutEscapes(word.text));
      }
    }
  });
});

function parse(text: string): Dockerfile | TbuildError {
  try {
    return parseDockerfile(text);
  } catch (error) {
    if (error instanceof TbuildError && error.code === 'DOCKERFILE_SYNTAX') return error;
    throw error;
  }
}

function checkGolden(path: string, actual: string): void {
  if (update) writeFileSync(path, actual);
  const expected = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  if (path.endsWith('.json') && expected !== undefined) expect(JSON.parse(actual)).toEqual(JSON.parse(expected));
  else expect(actual).toBe(expected);
}

function renderError({ message, hint, location }: TbuildError): string {
  const { start, end } = location ?? { start: { line: 0, column: 0 }, end: { line: 0, column: 0 } };
  const place = `${start.line}:${start.column}-${end.line}:${end.column}`;
  return `${place} ${message}\n${hint === undefined ? '' : `${hint}\n`}`;
}

function renderDockerfile({ directives, globalArgs, stages, warnings }: Dockerfile): unknown {
  return compact({
    syntax: directives.syntax?.text,
    escape: directives.escape === '\\' ? undefined : directives.escape,
    check: directives.check?.text,
    args: globalArgs.map(renderInstruction),
    stages: stages.map((stage) => ({
      from: renderInstruction(stage.from),
      instructions: stage.instructions.map(renderInstruction),
    })),
    warnings: warnings.map(({ rule, message, location }) => `${rule}: ${message} (line ${location.start.line})`),
  });
}

const LAYOUT = new Set(['text', 'location', 'line', 'emptyLines', 'keyword', 'asKeyword']);

/** The values of an instruction: words as their text, lines instead of places, defaults left out. */
function renderInstruction(instruction: Instruction): unknown {
  const { start, end } = instruction.location;
  const values = Object.entries(instruction).filter(([key]) => !LAYOUT.has(key));
  const rendered = Object.fromEntries(values.map(([key, value]) => [key, renderValue(value)]));
  const { command, ...rest } = rendered;
  return compact({
    ...rest,
    ...(typeof command === 'object' ? command : {}),
    ...('script' in rendered && rendered.script !== undefined ? { script: true } : {}),
    ...(rendered.nameAsWritten === rendered.name ? { nameAsWritten: undefined } : {}),
    lines: start.line === end.line ? String(start.line) : `${start.line}-${end.line}`,
  });
}

function renderValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(renderValue);
  if (typeof value !== 'object' || value === null) return value;
  if ('form' in value) return 'args' in value ? { exec: value.args } : { shell: 'text' in value ? value.text : '' };
  if ('key' in value)
    return 'value' in value ? [renderValue(value.key), renderValue(value.value)] : [renderValue(value.key)];
  if ('options' in value) return { type: 'type' in value ? value.type : '', ...Object(value.options) };
  if ('raw' in value) return renderHeredoc(value);
  return 'text' in value ? value.text : value;
}

function renderHeredoc(heredoc: object): unknown {
  const { location: _, ...rest } = { location: undefined, content: '', raw: '', expand: true, ...heredoc };
  const { content, raw, expand } = rest;
  const shown = { ...rest, raw: raw === content ? undefined : raw, expand: expand ? undefined : false };
  return { ...compact(shown), content };
}

/** Without what is absent, empty or off: the goldens show what a Dockerfile says. */
function compact(value: Record<string, unknown>): Record<string, unknown> {
  const kept = ['stages', 'instructions', 'exec', 'shell', 'value', 'keepGitDir', 'unpack', 'expand'];
  const entries = Object.entries(value).filter(([key, entry]) => {
    if (kept.includes(key)) return entry !== undefined;
    return entry !== undefined && entry !== false && entry !== 0 && !(Array.isArray(entry) && entry.length === 0);
  });
  return Object.fromEntries(entries);
}

interface PlacedWord {
  readonly text: string;
  readonly location: SourceRange;
}

/** The words of one line that stand in the file as they are: not of JSON arrays, flags or joined lines. */
function wordsIn(instruction: Instruction): PlacedWord[] {
  const words: PlacedWord[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === 'object' && value !== null) {
      if (isPlacedWord(value)) words.push(value);
      else Object.values(value).forEach(visit);
    }
  };
  visit(Object.values(instruction).filter((value) => typeof value === 'object'));
  return words.filter(({ location }) => location.start.line === location.end.line);
}

function isPlacedWord(value: object): value is PlacedWord {
  return 'text' in value && 'location' in value && !('form' in value);
}

/** Flags have lost their quotes and escapes. */
function withoutEscapes(text: string): string {
  return text.replace(/[\\"']/g, '');
}

function sliceRange(text: string, { start, end }: SourceRange): string {
  const lines = text.split('\n').slice(start.line - 1, end.line);
  if (lines.length === 1) return (lines[0] ?? '').slice(start.column - 1, end.column - 1);
  const last = (lines.at(-1) ?? '').slice(0, end.column - 1);
  return [(lines[0] ?? '').slice(start.column - 1), ...lines.slice(1, -1), last].join('\n');
}
