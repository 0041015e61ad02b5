import { type Flags, type FlagKind, flagSwitch, flagWord, readFlags } from '../flags.ts';
import { parseHeredocMark } from '../heredoc.ts';
import type { CopyInstruction, Heredoc, Word } from '../instruction.ts';
import { syntaxError } from '../syntax-error.ts';
import { type InstructionRequest, faultIn, toWord } from './request.ts';

const SHARED: Readonly<Record<string, FlagKind>> = {
  chown: 'value',
  chmod: 'value',
  link: 'boolean',
  exclude: 'list',
};
const COPY_FLAGS: Readonly<Record<string, FlagKind>> = { ...SHARED, from: 'value', parents: 'boolean' };
const ADD_FLAGS: Readonly<Record<string, FlagKind>> = {
  ...SHARED,
  'keep-git-dir': 'boolean',
  checksum: 'value',
  unpack: 'boolean',
};

/** COPY. */
export function parseCopy(request: InstructionRequest): CopyInstruction {
  const words = requireWords(request);
  const flags = readFlags(request.line, request.flags, COPY_FLAGS);
  const from = flagWord(flags, 'from');
  if (from !== undefined) refuseVariables(from);
  return {
    kind: 'copy',
    ...request.base,
    ...words,
    ...sharedFlags(flags),
    parents: flagSwitch(flags, 'parents') ?? false,
    from,
  };
}

/** ADD. */
export function parseAdd(request: InstructionRequest): CopyInstruction {
  const words = requireWords(request);
  const flags = readFlags(request.line, request.flags, ADD_FLAGS);
  return {
    kind: 'add',
    ...request.base,
    ...words,
    ...sharedFlags(flags),
    parents: false,
    checksum: flagWord(flags, 'checksum'),
    keepGitDir: flagSwitch(flags, 'keep-git-dir'),
    unpack: flagSwitch(flags, 'unpack'),
  };
}

function sharedFlags(flags: Flags): Pick<CopyInstruction, 'chown' | 'chmod' | 'link' | 'exclude'> {
  return {
    chown: flagWord(flags, 'chown'),
    chmod: flagWord(flags, 'chmod'),
    link: flagSwitch(flags, 'link') ?? false,
    exclude: flags.get('exclude') ?? [],
  };
}

function refuseVariables(from: Word): void {
  if (!/\$[\w{]/.test(from.text)) return;
  const hint = 'Define a stage with FROM using an ARG from before the first FROM, and copy from that stage';
  throw syntaxError('Variable expansion is not supported for --from', from.location, hint);
}

/** Splits the words into sources, inline files and destination. */
function requireWords(request: InstructionRequest): Pick<CopyInstruction, 'sources' | 'heredocs' | 'destination'> {
  const { words } = request.args;
  const last = words.at(-1);
  if (last === undefined || words.length < 2) {
    const count = words.length === 0 ? 'none' : 'only one';
    const message = `${request.name} requires at least two arguments, but ${count} was provided. Destination could not be determined`;
    throw syntaxError(message, request.base.location, 'Write the destination as the last argument');
  }
  if (parseHeredocMark(last.text) !== undefined) {
    throw faultIn(request, `${request.name} cannot accept a heredoc as a destination`, last);
  }
  const sources: Word[] = [];
  const heredocs: Heredoc[] = [];
  for (const span of words.slice(0, -1)) {
    const word = toWord(request, span);
    const mark = parseHeredocMark(span.text);
    if (mark === undefined) sources.push(word);
    else heredocs.push(bodyOf(request, mark.name) ?? { ...mark, content: '', raw: '', location: word.location });
  }
  return { sources, heredocs, destination: toWord(request, last) };
}

/** If several bodies have one name, Docker uses the last for each. The JSON form has no bodies. */
function bodyOf(request: InstructionRequest, name: string): Heredoc | undefined {
  return request.heredocs.findLast((heredoc) => heredoc.name === name);
}
