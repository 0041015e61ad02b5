import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { encodeExplanation, type Explanation, type ExplanationNote, readExplanation } from '@tbuild/cache';
import type { Graph, Step, StepId } from '@tbuild/graph';
import { digestOf, hexOf, type Digest } from '@tbuild/oci';
import type { KeyParts, Miss } from '@tbuild/solver';
import { readText, writeAtomically, type StoreLayout } from '@tbuild/store';
import { compareParts, type PartChange } from './compare-parts.ts';

/** Explains what changed since a step last ran, by the recorded parts of its key. */
export interface Explanations {
  /** Explains why there is no record for this key. Remembers the parts for the next time. */
  explain(step: Step, key: Digest, parts: KeyParts): Promise<Miss>;
  /** Returns what is remembered of steps under their current keys, for another machine. */
  notesOf(steps: Iterable<readonly [step: Step, key: Digest]>): Promise<readonly ExplanationNote[]>;
}

export interface ExplanationsOptions {
  readonly store: Pick<StoreLayout, 'explanations'>;
  /** Distinguishes Dockerfiles: within one, steps are identified by stage and command. */
  readonly scope: string;
  readonly graph: Graph;
  /** Returns the notes of other machines. Called only if this one has none. */
  carried(): Promise<readonly ExplanationNote[]>;
}

/** Creates explanations that are stored in `ROOT/explain`. Reads and writes files only for steps that run. */
export function createExplanations({ store, scope, graph, carried }: ExplanationsOptions): Explanations {
  const directory = store.explanations(scope);
  const nameOf = (...names: readonly string[]): string => hexOf(digestOf(names.join('\0'))).slice(0, 32);
  const fileOf = (...names: readonly string[]): string => join(directory, nameOf(...names));
  const present = new Set([...graph.steps.values()].map(({ name }) => withoutPosition(name)));
  const ran = new Set<StepId>();
  let taken: Promise<void> | undefined;
  /** Adds notes of other machines where this one has none. */
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
      // A command changes with its variables. The step that was at the same position and is gone may be the same one.
      const there = readExplanation(bySlot);
      const isGone = there !== undefined && !present.has(withoutPosition(`[${stage} 0/0] ${there.name}`));
      const before =
        readExplanation(byWords) ?? (isGone ? readExplanation(fileOf('words', stage, there.name)) : undefined);
      const compared = before && compareParts(before.parts, parts);
      writeAtomically(byWords, () => encodeExplanation(command, key, compared ?? parts));
      if (position !== '') writeAtomically(bySlot, () => encodeExplanation(command, key, []));
      return before === undefined || compared === undefined
        ? { reason: 'it is new' }
        : missOf({ before, now: { name: command, key }, changes: compared.changes }, wordsFor(step, graph, ran));
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

/** Removes the step's number, which changes as steps are added and removed. */
function withoutPosition(name: string): string {
  const { stage, command } = readName(name);
  return `${stage}\0${command}`;
}

/** How to describe a step's base, and a step whose parts are unchanged. */
interface Words {
  readonly base: string;
  readonly otherwise: string;
}

function wordsFor(step: Step, graph: Graph, ran: ReadonlySet<StepId>): Words {
  const isRun = step.op.kind === 'run';
  return {
    base: baseOf(step, graph, ran),
    otherwise: isRun ? 'the order of its variables or mounts changed' : 'what it reads changed',
  };
}

function baseOf({ base }: Step, { steps }: Graph, ran: ReadonlySet<StepId>): string {
  const step = base === undefined ? undefined : steps.get(base);
  if (step === undefined || step.op.kind === 'image') return 'the base image changed';
  return hasRun(step, steps, ran) ? 'a step before it ran again' : 'its parent step changed';
}

/** Decides whether a step ran. A step of `--link` only combines its sources. */
function hasRun({ id, op, base, sources }: Step, steps: Graph['steps'], ran: ReadonlySet<StepId>): boolean {
  if (op.kind !== 'stack') return ran.has(id);
  return [base, ...sources].some((input) => {
    const step = input === undefined ? undefined : steps.get(input);
    return step !== undefined && hasRun(step, steps, ran);
  });
}

/** How many changes the line names, and how many are kept. */
const SHOWN = 3;
const KEPT = 1000;

/** A step's name and key before and now, and the parts of the key that changed. */
interface Comparison {
  readonly before: Explanation;
  readonly now: Pick<Explanation, 'name' | 'key'>;
  readonly changes: readonly PartChange[];
}

function missOf({ before, now, changes }: Comparison, words: Words): Miss {
  if (before.key === now.key) return { reason: 'its last run failed, or its result was removed' };
  if (before.name !== now.name && changes.some(({ name }) => name === 'instruction'))
    return { reason: `the instruction changed, it was ${JSON.stringify(before.name)}` };
  // Many files may have changed; other changes say more.
  const [files, others] = [changes.filter(isOfFile), changes.filter((change) => !isOfFile(change))];
  const descriptions = [...others, ...files].flatMap((change) => tell(change, words.base));
  if (descriptions.length === 0) return { reason: words.otherwise };
  if (descriptions.length <= SHOWN) return { reason: descriptions.join(', ') };
  return {
    reason: firstOf(descriptions, SHOWN).join(', '),
    changes: firstOf(descriptions, KEPT),
  };
}

/** Returns the first ones, and how many more there are. */
function firstOf(descriptions: readonly string[], most: number): readonly string[] {
  const more = descriptions.length - most;
  return more <= 0 ? descriptions : [...descriptions.slice(0, most), `and ${more} more`];
}

function isOfFile({ name }: PartChange): boolean {
  return name.startsWith('file ');
}

function tell(change: PartChange, base: string): readonly string[] {
  const { name, before, now } = change;
  if (name === 'base') return [base];
  if (before === undefined) return [`${name} was added`];
  if (now === undefined) return [`${name} was removed`];
  const [[mode, content], [newMode, newContent]] = [before.split(' '), now.split(' ')];
  if (isOfFile(change) && content === newContent) return mode === newMode ? [] : [`${name} has another owner or mode`];
  return [name === 'instruction' ? 'the instruction changed' : `${name} changed`];
}
