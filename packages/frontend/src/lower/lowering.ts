import {
  expandWord,
  expandWords,
  type ExpandOptions,
  type RuleName,
  type StageInstruction,
  type Word,
} from '@tbuild/dockerfile';
import { locate, suggest, TbuildError, type SourceRange } from '@tbuild/errors';
import type { FileSource, GraphBuilder, StepId } from '@tbuild/graph';
import { suggestion } from '../checks/checks.ts';
import { lookupIn, type Environment } from '../environment.ts';
import type { StageState } from '../stages/stage-state.ts';
import { stepName, type Numbering } from '../step-name.ts';

/** Arguments that control Docker's scanner and never reach a process. */
export const NOT_IN_ENVIRONMENT: ReadonlySet<string> = new Set([
  'BUILDKIT_SBOM_SCAN_CONTEXT',
  'BUILDKIT_SBOM_SCAN_STAGE',
]);

/** The inputs of a lowering besides the state. They are the same for all instructions of a stage. */
export interface LoweringContext {
  readonly graph: GraphBuilder;
  readonly escape: '\\' | '`';
  readonly globalArgs: Environment;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly numbering: Numbering;
  readonly noCache: boolean;
  /** Whether the instruction comes from an ONBUILD trigger. */
  readonly trigger: boolean;
  readonly network: 'default' | 'none' | 'host';
  /** Returns the tree that a `from` names. `index` is true if the name may be the index of a stage. */
  sourceOf(name: string, options: { readonly location: SourceRange; readonly index: boolean }): Tree;
  /** Reports a finding of a check about the instruction. */
  warn(rule: RuleName, message: string, token?: SourceRange): void;
  /** Returns whether the ignore file excludes a path of the main context. */
  isIgnored(path: string): boolean;
}

/** A readable tree: that of a step, that of a context, or an empty one. */
export type Tree =
  | { readonly kind: 'step'; readonly step: StepId }
  | { readonly kind: 'context'; readonly name: string }
  | { readonly kind: 'empty' };

/** Returns the state of a stage after an instruction. */
export type Lowering<I extends StageInstruction = StageInstruction> = (
  state: StageState,
  instruction: I,
  context: LoweringContext,
) => StageState;

/** Expands a word in this state. */
export function expandIn(
  state: StageState,
  word: Word & { readonly options?: ExpandOptions },
  context: LoweringContext,
): string {
  const unset: string[] = [];
  const onUnset = (name: string) => {
    unset.push(name);
    warnOfUnset(state, { name, word }, context);
  };
  try {
    return expandWord(word.text, lookupIn(state.env), { escape: context.escape, onUnset, ...word.options });
  } catch (error) {
    throw locate(withHint(error, unset.at(-1), state), word.location);
  }
}

/** A required variable that is not set may be misspelt. */
function withHint(error: unknown, name: string | undefined, { env }: StageState): unknown {
  if (!(error instanceof TbuildError) || error.hint !== undefined || name === undefined) return error;
  const near = suggest(
    name,
    env.byLast().map(([variable]) => variable),
  );
  return near === undefined ? error : Object.assign(error, { hint: `Did you mean \$${near}?` });
}

/** Expands a word and splits it at blanks in the values of variables. */
export function expandListIn(state: StageState, word: Word, context: LoweringContext): string[] {
  try {
    return expandWords(word.text, lookupIn(state.env), { escape: context.escape });
  } catch (error) {
    throw locate(error, word.location);
  }
}

/** Assigns the next step number. Returns the new state and the name of the step. */
export function nameStep(
  state: StageState,
  command: string,
  context: LoweringContext,
): { state: StageState; name: string } {
  const position = state.position + 1;
  const { numbering, trigger } = context;
  return { state: { ...state, position }, name: stepName(numbering, { position, command, trigger, env: state.env }) };
}

/** Returns a reference to the tree of a step, which joins `sources` if it is new there. */
export function sourceFrom(tree: Tree, sources: StepId[]): FileSource {
  if (tree.kind === 'context') return { kind: 'context', name: tree.name };
  if (tree.kind === 'empty') return { kind: 'inline', files: [] };
  const known = sources.indexOf(tree.step);
  return { kind: 'step', source: known < 0 ? sources.push(tree.step) - 1 : known };
}

/** Creates an error in the meaning of an instruction. */
export function semanticError(message: string, location: SourceRange, hint?: string): TbuildError {
  return new TbuildError('DOCKERFILE_SEMANTICS', message, { location, hint });
}

/** Declares an ARG even if it has no value. */
function warnOfUnset(
  state: StageState,
  { name, word }: { readonly name: string; readonly word: Word },
  context: LoweringContext,
): void {
  if (NOT_IN_ENVIRONMENT.has(name) || state.args.toArray().some((arg) => arg.name === name)) return;
  const near = suggestion(
    name,
    state.env.byLast().map(([known]) => known),
    '$',
  );
  context.warn('UndefinedVar', `Usage of undefined variable '$${name}'${near}`, word.location);
}
