import { posix } from 'node:path';
import type { CopyInstruction, Heredoc, Word } from '@tbuild/dockerfile';
import { withoutCredentials } from '@tbuild/errors';
import type { CopySelection, FileSource, GitOp, HttpOp, SourceAdvice, StepId } from '@tbuild/graph';
import { parseGitSource } from '../git-source.ts';
import { formatQuoted } from '../go-format.ts';
import type { StageState } from '../stages/stage-state.ts';
import { expandIn, semanticError, sourceFrom, type LoweringContext, type Tree } from './lowering.ts';
import { gitOpOf, httpOpOf } from './remote-op.ts';
import { sourceAdvice } from './source-advice.ts';

/** The target of lowered selections. Steps that they read from join `sources`. */
export interface CopyTarget {
  readonly context: LoweringContext;
  readonly sources: StepId[];
  /** The location of the instruction's step. Steps that fetch its sources have it too. */
  readonly name: string;
}

export interface CopySelections {
  /** Adjacent sources from the same place share a selection. */
  readonly selections: readonly CopySelection[];
  /** The sources as shown in the history. */
  readonly shown: readonly string[];
  readonly advice?: Readonly<Record<string, SourceAdvice>>;
}

/** Collects the sources of a COPY or ADD in Docker's order: its words, then its heredocs. */
export function copySelections(state: StageState, instruction: CopyInstruction, target: CopyTarget): CopySelections {
  const { context } = target;
  const words = instruction.sources.map((word) => ({ ...word, text: expandIn(state, word, context) }));
  checkChecksum(instruction, words.length + instruction.heredocs.length);
  const checksum = instruction.checksum === undefined ? '' : expandIn(state, instruction.checksum, context);
  const selections = words.map((word) => selectWord(word, checksum, { instruction, target }));
  const documents = instruction.heredocs.map((heredoc) => selectHeredoc(state, heredoc, context));
  return {
    selections: merge([...selections, ...documents]),
    advice: sourceAdvice(instruction, words),
    shown: [...words.map(({ text }) => text), ...instruction.heredocs.map(({ name }) => `<<${name}`)],
  };
}

interface Request {
  readonly instruction: CopyInstruction;
  readonly target: CopyTarget;
}

function selectWord(word: Word, checksum: string, request: Request): CopySelection {
  const git = parseGitSource(word.text);
  const isUrl = /^https?:\/\//.test(word.text);
  if (git === undefined && !isUrl) return selectPath(word, checksum, request);
  const { instruction } = request;
  if (instruction.kind === 'copy') {
    const what = git === undefined ? 'a URL' : 'a git repository';
    throw semanticError(
      `The source ${JSON.stringify(withoutCredentials(word.text))} of COPY is ${what}`,
      word.location,
      'Use ADD',
    );
  }
  if (git === undefined) return selectUrl(word, checksum, request);
  const op = gitOpOf(word, git, { instruction, checksum });
  return { from: fetched(op, request), sources: [''], unpack: false, keepOwner: false };
}

function selectPath(word: Word, checksum: string, { instruction, target }: Request): CopySelection {
  if (checksum !== '') {
    throw semanticError(
      'A checksum needs a URL or a git repository as source',
      instruction.checksum?.location ?? word.location,
    );
  }
  const { from } = instruction;
  const source = instruction.parents ? cleanWithPivot(word.text) : cleanPath(word.text);
  if (instruction.parents && /(?:^|\/\.\/)$/.test(source)) {
    throw semanticError(
      `The source ${JSON.stringify(word.text)} of COPY --parents is a whole tree, expected a path in it`,
      word.location,
      'Leave out --parents',
    );
  }
  if (from === undefined) warnOfIgnored(word, instruction, target.context);
  const tree: Tree =
    from === undefined
      ? { kind: 'context', name: 'context' }
      : target.context.sourceOf(from.text, { location: from.location, index: true });
  return {
    from: sourceFrom(tree, target.sources),
    sources: [source],
    unpack: instruction.unpack ?? instruction.kind === 'add',
    keepOwner: tree.kind === 'step',
  };
}

function warnOfIgnored({ text, location }: Word, { kind }: CopyInstruction, context: LoweringContext): void {
  const path = posix.normalize(text).replace(/(?<=.)\/$/, '');
  if (!context.isIgnored(path)) return;
  const verb = kind === 'add' ? 'Add' : 'Copy';
  const message = `Attempting to ${verb} file ${formatQuoted(path)} that is excluded by .dockerignore`;
  context.warn('CopyIgnoredFile', message, location);
}

function selectUrl(word: Word, checksum: string, request: Request): CopySelection {
  const op = httpOpOf(word, checksum, request.instruction);
  return {
    from: fetched(op, request),
    sources: [escapePattern(op.filename)],
    unpack: request.instruction.unpack ?? false,
    keepOwner: false,
  };
}

function fetched(op: HttpOp | GitOp, { instruction, target }: Request): FileSource {
  const { context, name, sources } = target;
  const step = context.graph.add({ op, sources: [], name, noCache: context.noCache, location: instruction.location });
  return sourceFrom({ kind: 'step', step }, sources);
}

/** Quotes in a body are text, and its escape character is always the backslash. */
function selectHeredoc(state: StageState, heredoc: Heredoc, context: LoweringContext): CopySelection {
  const { name, content, expand, location } = heredoc;
  const word = { text: content, location };
  const text = expand ? expandIn(state, { ...word, options: { quotes: false, escape: '\\' } }, context) : content;
  return {
    from: { kind: 'inline', files: [{ name, content: text }] },
    sources: [escapePattern(name)],
    unpack: false,
    keepOwner: false,
  };
}

function merge(selections: readonly CopySelection[]): CopySelection[] {
  const merged: CopySelection[] = [];
  for (const selection of selections) {
    const last = merged.at(-1);
    const same = last !== undefined && last.unpack === selection.unpack && samePlace(last.from, selection.from);
    if (same) merged[merged.length - 1] = { ...last, sources: [...last.sources, ...selection.sources] };
    else merged.push(selection);
  }
  return merged;
}

function samePlace(a: FileSource, b: FileSource): boolean {
  if (a.kind === 'context') return b.kind === 'context' && a.name === b.name;
  return a.kind === 'step' && b.kind === 'step' && a.source === b.source;
}

function checkChecksum({ kind, checksum }: CopyInstruction, count: number): void {
  if (checksum === undefined) return;
  if (kind === 'copy') throw semanticError('COPY has no --checksum', checksum.location, 'Use ADD');
  if (count !== 1) throw semanticError('A checksum needs exactly one source', checksum.location);
}

/** Escapes a name that is not a pattern. */
function escapePattern(name: string): string {
  return name.replace(/[\\*?[\]]/g, '\\$&');
}

/** Cleans a path: it stays below the root and has no leading or trailing slash. */
function cleanPath(path: string): string {
  return posix.resolve('/', path).slice(1);
}

/** `--parents` keeps the part after the first `/./`. */
function cleanWithPivot(path: string): string {
  const pivot = path.indexOf('/./');
  if (pivot < 0) return cleanPath(path);
  return `${cleanPath(path.slice(0, pivot))}/./${cleanPath(path.slice(pivot + 3))}`;
}
