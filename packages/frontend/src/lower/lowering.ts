import { expandWord, expandWords } from '@tbuild/dockerfile';
import type { ExpandOptions, RuleName, StageInstruction, Word } from '@tbuild/dockerfile';
import { locate, suggest, TbuildError } from '@tbuild/errors';
import type { SourceRange } from '@tbuild/errors';
import type { FileSource, GraphBuilder, StepId } from '@tbuild/graph';
import { suggestion } from '../checks.ts';
import { lookupIn } from '../environment.ts';
import type { Environment } from '../environment.ts';
import { stepName } from '../step-name.ts';
import type { Numbering } from '../step-name.ts';
import type { StageState } from '../stage-state.ts';

/** Arguments that steer Docker's scanner and never reach a process. */
export const NOT_IN_ENVIRONMENT: ReadonlySet<string> = new Set([
  'BUILDKIT_SBOM_SCAN_CONTEXT',
  'BUILDKIT_SBOM_SCAN_STAGE',
]);

/** What a lowering may use besides the state: the same for all instructions of a stage. */
export interface LoweringContext {
  readonly graph: GraphBuilder;
  readonly escape: '\\' | '`';
  readonly globalArgs: Environment;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly numbering: Numbering;
  readonly noCache: boolean;
  /** The instruction comes from an ONBUILD trigger. */
  readonly trigger: boolean;
  readonly network: 'default' | 'none' | 'host';
  /** The tree that a `from` names; `index` when it may be the index of a stage. */
  sourceOf(name: string, options: { readonly location: SourceRange; readonly index: boolean }): Tree;
  /** Reports what a check finds in the instruction. */
  warn(rule: RuleName, message: string, token?: SourceRange): void;
  /** Whether the ignore file leaves a path of the main context out. */
  isIgnored(path: string): boolean;
}

/** A tree to read from: a step's, a context's, or one without files. */
export type Tree =
  | { readonly kind: 'step'; readonly step: StepId }
  | { readonly kind: 'context'; readonly name: string }
  | { readonly kind: 'empty' };

/** What an instruction makes of a stage's state. */
export type Lowering<I extends StageInstruction = StageInstruction> = (
  state: StageState,
  instruction: I,
  context: LoweringContext,
) => StageState;

/** A word's value in this state. */
export function expandIn(state: StageState, word: Word, context: LoweringContext, options: ExpandOptions = {}): string {
  const unset: string[] = [];
  const onUnset = (name: string) => {
    unset.push(name);
    warnOfUnset(state, { name, word }, context);
  };
  try {
    return expandWord(word.text, lookupIn(state.env), { escape: context.escape, onUnset, ...options });
  } catch (error) {
    throw locate(withHint(error, unset.at(-1), state), word.location);
  }
}

/** A variable that must be set may be misspelt. */
function withHint(error: unknown, name: string | undefined, { env }: StageState): unknown {
  if (!(error instanceof TbuildError) || error.hint !== undefined || name === undefined) return error;
  const near = suggest(
    name,
    env.byLast().map(([variable]) => variable),
  );
  return near === undefined ? error : Object.assign(error, { hint: `Did you mean \$${near}?` });
}

/** The words that a word becomes when blanks in the values of variables divide. */
export function expandListIn(state: StageState, word: Word, context: LoweringContext): string[] {
  try {
    return expandWords(word.text, lookupIn(state.env), { escape: context.escape });
  } catch (error) {
    throw locate(error, word.location);
  }
}

/** The state with the next step's number taken, and that step's name. */
export function nameStep(
  state: StageState,
  command: string,
  context: LoweringContext,
): { state: StageState; name: string } {
  const position = state.position + 1;
  const { numbering, trigger } = context;
  return { state: { ...state, position }, name: stepName(numbering, { position, command, trigger, env: state.env }) };
}

/** How a step counts into a tree; the step joins `sources` unless it is there already. */
export function sourceFrom(tree: Tree, sources: StepId[]): FileSource {
  if (tree.kind === 'context') return { kind: 'context', name: tree.name };
  if (tree.kind === 'empty') return { kind: 'inline', files: [] };
  const known = sources.indexOf(tree.step);
  return { kind: 'step', source: known < 0 ? sources.push(tree.step) - 1 : known };
}

/** An error in the meaning of an instruction. */
export function semanticError(message: string, location: SourceRange, hint?: string): TbuildError {
  return new TbuildError('DOCKERFILE_SEMANTICS', message, { location, hint });
}

/** An ARG without a value is declared all the same. */
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
