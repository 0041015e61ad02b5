import { expandWord, type ArgInstruction, type CopyInstruction, type Dockerfile, type Word } from '@tbuild/dockerfile';
import { locate, TbuildError } from '@tbuild/errors';
import type { GitOp, HttpOp } from '@tbuild/graph';
import { buildArg, globalScope, type GlobalScopeOptions } from './build-args.ts';
import { lookupIn, setVariable, variable, type Environment } from './environment.ts';
import { parseGitSource } from './git-source.ts';
import { semanticError } from './lower/lowering.ts';
import { gitOpOf, httpOpOf } from './lower/remote-op.ts';
import { contextOrigin, type ContextNames } from './origin.ts';

/** What `SOURCE_DATE_EPOCH` says. */
export type EpochSource =
  | { readonly kind: 'seconds'; readonly seconds: number }
  /** The time of the main context. */
  | { readonly kind: 'context' }
  /** The time of a named context, or of what a stage adds. */
  | { readonly kind: 'remote'; readonly op: GitOp | HttpOp }
  /** A named context that has no time. */
  | { readonly kind: 'none' };

export interface EpochOptions extends GlobalScopeOptions, ContextNames {}

export const SOURCE_DATE_EPOCH = 'SOURCE_DATE_EPOCH';

/**
 * Returns what `SOURCE_DATE_EPOCH` says: the build argument, or the default of an ARG before the first FROM. Undefined
 * when it is not set or empty.
 * @throws TbuildError DOCKERFILE_SEMANTICS or USAGE for a value that is neither a number nor the name of a source.
 */
export function epochSource(dockerfile: Dockerfile, options: EpochOptions): EpochSource | undefined {
  const value = epochValue(dockerfile, options);
  if (value === undefined || value === '') return undefined;
  if (SECONDS.test(value)) return { kind: 'seconds', seconds: secondsOf(value) };
  if (value === 'context') return { kind: 'context' };
  const origin = contextOrigin(value, options);
  if (origin !== undefined) return origin.kind === 'remote' ? { kind: 'remote', op: origin.op } : { kind: 'none' };
  const stage = dockerfile.stages.find(({ name }) => name === value.toLowerCase());
  if (stage === undefined) throw invalidEpoch(value);
  return { kind: 'remote', op: addedOp(stage, dockerfile, options) };
}

const SECONDS = /^[+-]?\d+$/;

/** The years 0 to 9999, for which RFC 3339 has a form. */
const [FIRST, LAST] = [-62_167_219_200, 253_402_300_799];

/**
 * Parses seconds since 1970, negative for earlier times.
 * @throws TbuildError USAGE
 */
export function secondsOf(text: string): number {
  const seconds = Number(text);
  if (!SECONDS.test(text) || seconds < FIRST || seconds > LAST) throw invalidEpoch(text);
  return seconds;
}

/** In the words of BuildKit. */
function invalidEpoch(value: string): TbuildError {
  return new TbuildError('USAGE', `invalid SOURCE_DATE_EPOCH: ${value}`, {
    hint: 'Write seconds since 1970, "context", or the name of a stage or named context',
  });
}

function epochValue(dockerfile: Dockerfile, options: EpochOptions): string | undefined {
  const given = buildArg(options.buildArgs, SOURCE_DATE_EPOCH);
  const isDeclared = (): boolean =>
    dockerfile.globalArgs.some(({ args }) => args.some(({ key }) => key.text === SOURCE_DATE_EPOCH));
  if (given !== undefined || !isDeclared()) return given;
  return variable(globalScope(dockerfile, options), SOURCE_DATE_EPOCH);
}

const SOURCE_ONLY = 'SOURCE_DATE_EPOCH stage does not meet source-only requirements';
const ONE_ADD = 'SOURCE_DATE_EPOCH stage must contain exactly one remote ADD';

/** Returns the source of a stage that does nothing but add it to an empty tree. */
function addedOp(
  { from, instructions }: Dockerfile['stages'][number],
  { globalArgs, directives, ...dockerfile }: Dockerfile,
  options: EpochOptions,
): GitOp | HttpOp {
  const others = globalArgs.map((each) => ({
    ...each,
    args: each.args.filter(({ key }) => key.text !== SOURCE_DATE_EPOCH),
  }));
  const scope = { escape: directives.escape, options };
  let env = globalScope({ ...dockerfile, directives, globalArgs: others }, options);
  if (expand(from.image, env, scope) !== 'scratch')
    throw semanticError('SOURCE_DATE_EPOCH stage must use FROM scratch', from.location);
  let op: GitOp | HttpOp | undefined;
  for (const instruction of instructions) {
    if (instruction.kind === 'arg') env = declare(instruction, env, scope);
    else if (instruction.kind !== 'add')
      throw semanticError(
        `${SOURCE_ONLY}: unsupported ${instruction.keyword.toUpperCase()} instruction`,
        instruction.location,
      );
    else if (op !== undefined) throw semanticError(ONE_ADD, instruction.location);
    else op = opOf(instruction, env, scope);
  }
  if (op === undefined) throw semanticError(ONE_ADD, from.location);
  return op;
}

interface Scope {
  readonly escape: '\\' | '`';
  readonly options: EpochOptions;
}

function expand({ text, location }: Word, env: Environment, { escape }: Scope): string {
  try {
    return expandWord(text, lookupIn(env), { escape });
  } catch (error) {
    throw locate(error, location);
  }
}

function declare({ args }: ArgInstruction, env: Environment, scope: Scope): Environment {
  return args.reduce((current, { key, value }) => {
    const given =
      buildArg(scope.options.buildArgs, key.text) ?? (value === undefined ? undefined : expand(value, current, scope));
    return given === undefined ? current : setVariable(current, key.text, given);
  }, env);
}

function opOf(instruction: CopyInstruction, env: Environment, scope: Scope): GitOp | HttpOp {
  const [source, ...more] = instruction.sources;
  if (source === undefined || more.length > 0 || instruction.heredocs.length > 0)
    throw semanticError(`${ONE_ADD} source`, instruction.location);
  const word = { ...source, text: expand(source, env, scope) };
  const checksum = instruction.checksum === undefined ? '' : expand(instruction.checksum, env, scope);
  const git = parseGitSource(word.text);
  if (git !== undefined) return gitOpOf(word, git, { instruction, checksum });
  if (/^https?:\/\//.test(word.text)) return httpOpOf(word, checksum, instruction);
  throw semanticError('SOURCE_DATE_EPOCH stage source must be a single HTTP(S) or Git ADD', source.location);
}
