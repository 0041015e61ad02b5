import { runSync } from '@tbuild/concurrency';
import { type BuildContext, type SelectedSource, selectFiles, typeOf } from '@tbuild/context';
import type {
  CopyInstruction,
  Dockerfile,
  FromInstruction,
  RunInstruction,
  Stage,
  StageInstruction,
} from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import type { Input } from './explained.ts';

export interface InputOptions {
  readonly dockerfile: Dockerfile;
  readonly stage: Stage;
  readonly context: BuildContext;
}

/** Returns what an instruction reads besides the steps before it. */
export function inputsOf(instruction: FromInstruction | StageInstruction, options: InputOptions): readonly Input[] {
  if (instruction.kind === 'from')
    return instruction.image.text === 'scratch' ? [] : [imageOrStage(instruction.image.text, options)];
  if (instruction.kind === 'copy' || instruction.kind === 'add') return copied(instruction, options);
  if (instruction.kind !== 'run') return [];
  return [...argumentsOf(instruction, options), ...mounted(instruction, options)];
}

function imageOrStage(name: string, { dockerfile, stage }: InputOptions): Input {
  const earlier = dockerfile.stages.slice(0, stage.index);
  const isStage = earlier.some((one) => one.name === name.toLowerCase() || String(one.index) === name);
  return isStage ? { kind: 'stage', name } : { kind: 'image', name, isPinned: name.includes('@sha256:') };
}

function copied(instruction: CopyInstruction, options: InputOptions): readonly Input[] {
  if (instruction.from !== undefined) return [imageOrStage(instruction.from.text, options)];
  const sources = instruction.sources.map(({ text }) => text);
  const isRemote = (text: string): boolean => instruction.kind === 'add' && /^(?:[a-z]+:\/\/|git@)/.test(text);
  const local = sources.filter((text) => !isRemote(text));
  return [
    ...sources.filter(isRemote).map((url): Input => ({ kind: 'remote', url })),
    ...(local.length === 0 ? [] : [files(local, instruction, options)]),
  ];
}

/** Counts the files that sources name; leaves them uncounted if a variable names them or they are missing. */
function files(
  sources: readonly string[],
  { exclude = [], parents = false }: Partial<Pick<CopyInstruction, 'exclude' | 'parents'>>,
  { context }: Pick<InputOptions, 'context'>,
): Input {
  const selected = selectedFiles(sources, { exclude: exclude.map(({ text }) => text), parents }, context);
  if (selected === undefined) return { kind: 'files', sources };
  const counted = [...pathsIn(selected)];
  return { kind: 'files', sources, count: counted.length, bytes: counted.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** Returns the files that sources name in a context; undefined if that is not known. */
export function selectedFiles(
  sources: readonly string[],
  options: { readonly exclude?: readonly string[]; readonly parents?: boolean },
  context: BuildContext,
): readonly SelectedSource[] | undefined {
  if ([...sources, ...(options.exclude ?? [])].some((text) => /[$"'[\\]/.test(text))) return undefined;
  try {
    return runSync(selectFiles(context.tree, { sources, ...options }));
  } catch (error) {
    if (error instanceof TbuildError) return undefined;
    throw error;
  }
}

/** Yields the paths of the files among selected entries. */
export function* pathsIn(
  selected: readonly SelectedSource[],
): Generator<{ readonly path: string; readonly bytes: number }> {
  for (const { entry, files: below } of selected) {
    if (typeOf(entry.stats) !== 'directory') yield { path: entry.path, bytes: entry.stats.size };
    for (const { entry: inner } of below)
      if (typeOf(inner.stats) !== 'directory') yield { path: inner.path, bytes: inner.stats.size };
  }
}

function mounted({ mounts }: RunInstruction, options: InputOptions): readonly Input[] {
  return mounts.flatMap(({ type = 'bind', options: given }): readonly Input[] => {
    const { from, source = '.', id, target = '' } = given;
    if (type === 'secret') return [{ kind: 'secret', id: id ?? target.slice(target.lastIndexOf('/') + 1) }];
    if (type !== 'bind') return [];
    return [from === undefined ? files([source], {}, options) : imageOrStage(from, options)];
  });
}

/** The arguments that the stage declares before a RUN: each is a variable of its command. */
function argumentsOf({ location: { start } }: RunInstruction, { stage }: InputOptions): readonly Input[] {
  return stage.instructions
    .filter((one) => one.kind === 'arg' && one.location.start.line < start.line)
    .flatMap((one) =>
      one.kind === 'arg' ? one.args.map(({ key }): Input => ({ kind: 'argument', name: key.text })) : [],
    );
}
