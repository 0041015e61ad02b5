import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { encodeExplanation, type Explanation, type ExplanationNote, readExplanation } from '@tbuild/cache';
import type { Graph, Step, StepId } from '@tbuild/graph';
import { digestOf, hexOf, type Digest } from '@tbuild/oci';
import type { KeyParts } from '@tbuild/solver';
import { readText, writeAtomically, type StoreLayout } from '@tbuild/store';
import { compareParts, type PartChange } from './compare-parts.ts';

/** Says what has changed of a step since it ran last, from what its key was made of then. */
export interface Explanations {
  /** Why there is no record under this key, in one line; remembers the parts for the next time. */
  explain(step: Step, key: Digest, parts: KeyParts): Promise<string>;
  /** What is remembered of steps under the keys that they have now, for another machine. */
  notesOf(steps: Iterable<readonly [step: Step, key: Digest]>): Promise<readonly ExplanationNote[]>;
}

export interface ExplanationsOptions {
  readonly store: Pick<StoreLayout, 'explanations'>;
  /** Tells one Dockerfile from another: steps are known by their stage and words. */
  readonly scope: string;
  readonly graph: Graph;
  /** What other machines remember, asked for only when nothing is remembered here. */
  carried(): Promise<readonly ExplanationNote[]>;
}

/** Explanations as files of `ROOT/explain`, read and written only for steps that run. */
export function createExplanations({ store, scope, graph, carried }: ExplanationsOptions): Explanations {
  const directory = store.explanations(scope);
  const nameOf = (...names: readonly string[]): string => hexOf(digestOf(names.join('\0'))).slice(0, 32);
  const fileOf = (...names: readonly string[]): string => join(directory, nameOf(...names));
  const present = new Set([...graph.steps.values()].map(({ name }) => withoutPosition(name)));
  const ran = new Set<StepId>();
  let taken: Promise<void> | undefined;
  /** What other machines remember becomes what is remembered here, where there is nothing yet. */
  const takeCarried = async (): Promise<void> => {
    for (const { name, text } of await carried())
      if (!existsSync(join(directory, name))) writeAtomically(join(directory, name), text);
  };
  return {
    async explain(step, key, parts) {
      ran.add(step.id);
      const { stage, position, command } = readName(step.name);
      const bySlot = fileOf('position', stage, position);
      const byWords = fileOf('words', stage, command);
      if (!existsSync(byWords)) await (taken ??= takeCarried());
      // Words change with the variables in them; then the step that was at the same place and is gone may be the same one.
      const there = readExplanation(bySlot);
      const isGone = there !== undefined && !present.has(withoutPosition(`[${stage} 0/0] ${there.name}`));
      const before =
        readExplanation(byWords) ?? (isGone ? readExplanation(fileOf('words', stage, there.name)) : undefined);
      const compared = before && compareParts(before.parts, parts);
      writeAtomically(byWords, encodeExplanation(command, key, compared ?? parts));
      if (position !== '') writeAtomically(bySlot, encodeExplanation(command, key, []));
      return before === undefined || compared === undefined
        ? 'it is new'
        : reason(before, { name: command, key }, compared.changes, wordsFor(step, graph, ran));
    },
    async notesOf(steps) {
      await (taken ??= takeCarried());
      const notes = new Map<string, string>();
      for (const [{ name }, key] of steps) {
        const { stage, position, command } = readName(name);
        for (const file of [nameOf('position', stage, position), nameOf('words', stage, command)]) {
          const text = readText(join(directory, file));
          if (text?.split('\0', 2)[1] === key) notes.set(file, text);
        }
      }
      return [...notes].map(([name, text]) => ({ name, text }));
    },
  };
}

/** `[build 2/4] RUN make` */
function readName(name: string): { readonly stage: string; readonly position: string; readonly command: string } {
  const [, stage = '', position = '', command = name] = /^\[(?:(.*) )?\s*(\d+)\/\d+\] (.*)$/s.exec(name) ?? [];
  return { stage, position, command };
}

/** A step without its number, which changes when others come and go. */
function withoutPosition(name: string): string {
  const { stage, command } = readName(name);
  return `${stage}\0${command}`;
}

/** What to say of a step's base, and of a step whose parts are all the same. */
interface Words {
  readonly base: string;
  readonly otherwise: string;
}

function wordsFor(step: Step, graph: Graph, ran: ReadonlySet<StepId>): Words {
  const isRun = step.op.kind === 'run';
  return {
    base: baseOf(step, graph, ran),
    otherwise: isRun ? 'its variables or mounts are in another order' : 'what it reads changed',
  };
}

function baseOf({ base }: Step, { steps }: Graph, ran: ReadonlySet<StepId>): string {
  const step = base === undefined ? undefined : steps.get(base);
  if (step === undefined || step.op.kind === 'image') return 'the base image changed';
  return hasRun(step, steps, ran) ? 'a step before it ran again' : 'it stands on other steps';
}

/** A step of `--link` is nothing but what it puts together. */
function hasRun({ id, op, base, sources }: Step, steps: Graph['steps'], ran: ReadonlySet<StepId>): boolean {
  if (op.kind !== 'stack') return ran.has(id);
  return [base, ...sources].some((input) => {
    const step = input === undefined ? undefined : steps.get(input);
    return step !== undefined && hasRun(step, steps, ran);
  });
}

const SHOWN = 3;

function reason(
  before: Explanation,
  now: Pick<Explanation, 'name' | 'key'>,
  changes: readonly PartChange[],
  words: Words,
): string {
  if (before.key === now.key) return 'its last run did not succeed, or the result was removed since';
  if (before.name !== now.name && changes.some(({ name }) => name === 'instruction'))
    return `the instruction changed: it was ${JSON.stringify(before.name)}`;
  // Many files may have changed, and what else did says more.
  const [files, others] = [changes.filter(isOfFile), changes.filter((change) => !isOfFile(change))];
  const told = [...others, ...files].flatMap((change) => tell(change, words.base));
  if (told.length === 0) return words.otherwise;
  const more = told.length - SHOWN;
  return told.slice(0, SHOWN).join(', ') + (more > 0 ? `, and ${more} more` : '');
}

function isOfFile({ name }: PartChange): boolean {
  return name.startsWith('file ');
}

function tell(change: PartChange, base: string): readonly string[] {
  const { name, before, now } = change;
  if (name === 'base') return [base];
  if (before === undefined) return [`${name} is new`];
  if (now === undefined) return [`${name} is gone`];
  const [[mode, content], [newMode, newContent]] = [before.split(' '), now.split(' ')];
  if (isOfFile(change) && content === newContent)
    return mode === newMode ? [] : [`${name} has other permissions or another owner`];
  return [name === 'instruction' ? 'the instruction changed' : `${name} changed`];
}
