import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Graph, Step } from '@tbuild/graph';
import { digestOf, hexOf, type Digest } from '@tbuild/oci';
import type { KeyParts } from '@tbuild/solver';
import { writeNote } from './note-file.ts';

/** Says what has changed of a step since it ran last, from what its key was made of then. */
export interface Explanations {
  /** Why there is no record under this key, in one line; remembers the parts for the next time. */
  explain(step: Step, key: Digest, parts: KeyParts): string;
}

export interface ExplanationsOptions {
  /** The store's directory. */
  readonly root: string;
  /** Tells one Dockerfile from another: steps are known by their stage and words. */
  readonly scope: string;
  readonly graph: Graph;
}

/** Explanations as files of `ROOT/explain`, read and written only for steps that run. */
export function createExplanations({ root, scope, graph }: ExplanationsOptions): Explanations {
  const directory = join(root, 'explain', hexOf(digestOf(scope)).slice(0, 32));
  const fileOf = (...names: readonly string[]): string =>
    join(directory, hexOf(digestOf(names.join('\0'))).slice(0, 32));
  return {
    explain(step, key, parts) {
      const { stage, position, command } = readName(step.name);
      const bySlot = fileOf('position', stage, position);
      const byWords = fileOf('words', stage, command);
      // Words change with the variables in them; then the step at the same place may be the same one.
      const there = read(bySlot);
      const before = read(byWords) ?? (there === undefined ? undefined : read(fileOf('words', stage, there.name)));
      const reason =
        before === undefined ? 'it is new' : compare(before, { name: command, key, parts }, baseOf(step, graph));
      writeNote(byWords, JSON.stringify({ name: command, key, parts }));
      if (position !== '') writeNote(bySlot, JSON.stringify({ name: command, key, parts: {} }));
      return reason;
    },
  };
}

interface Explanation {
  readonly name: string;
  readonly key: string;
  readonly parts: Readonly<Record<string, unknown>>;
}

/** `[build 2/4] RUN make` */
function readName(name: string): { readonly stage: string; readonly position: string; readonly command: string } {
  const [, stage = '', position = '', command = name] = /^\[(?:(.*) )?\s*(\d+)\/\d+\] (.*)$/s.exec(name) ?? [];
  return { stage, position, command };
}

function baseOf({ base }: Step, { steps }: Graph): string {
  const step = base === undefined ? undefined : steps.get(base);
  return step?.op.kind === 'image' ? 'the base image changed' : 'a step before it ran again';
}

const SHOWN = 3;

function compare(before: Explanation, now: Explanation, base: string): string {
  if (before.key === now.key) return 'its last run did not succeed, or the result was removed since';
  if (before.name !== now.name && before.parts.instruction !== now.parts.instruction)
    return `the instruction changed: it was ${JSON.stringify(before.name)}`;
  const names = [
    ...Object.keys(now.parts),
    ...Object.keys(before.parts).filter((name) => !Object.hasOwn(now.parts, name)),
  ];
  const changed = names.filter((name) => before.parts[name] !== now.parts[name]);
  const changes = changed.flatMap((name) => change(name, before.parts[name], now.parts[name], base));
  if (changes.length === 0) return 'what it reads changed';
  const more = changes.length - SHOWN;
  return changes.slice(0, SHOWN).join(', ') + (more > 0 ? `, and ${more} more` : '');
}

function change(name: string, before: unknown, now: unknown, base: string): readonly string[] {
  if (name === 'base') return [base];
  if (before === undefined) return [`${name} is new`];
  if (now === undefined) return [`${name} is gone`];
  const [[mode, content], [newMode, newContent]] = [String(before).split(' '), String(now).split(' ')];
  if (name.startsWith('file ') && content === newContent)
    return mode === newMode ? [] : [`${name} has other permissions or another owner`];
  return [name === 'instruction' ? 'the instruction changed' : `${name} changed`];
}

function read(file: string): Explanation | undefined {
  try {
    const value: Partial<Record<keyof Explanation, unknown>> = JSON.parse(readFileSync(file, 'utf8'));
    const { name, key, parts } = value;
    return typeof name === 'string' && typeof key === 'string' && isParts(parts) ? { name, key, parts } : undefined;
  } catch {
    // Never explained, or a file that a crash left incomplete.
    return undefined;
  }
}

/** There may be many: each is looked at when it is compared. */
function isParts(value: unknown): value is Explanation['parts'] {
  return typeof value === 'object' && value !== null;
}
