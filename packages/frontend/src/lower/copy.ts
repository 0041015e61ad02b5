import { posix } from 'node:path';
import type { CopyInstruction, Word } from '@tbuild/dockerfile';
import type { CopyOp, CopySelection, ModeChange, StepId } from '@tbuild/graph';
import { lookupIn } from '../environment.ts';
import { cwdOf, withStep, type StageState } from '../stages/stage-state.ts';
import { copySelections } from './copy-sources.ts';
import { describeCommand } from './describe.ts';
import { expandIn, nameStep, semanticError, type Lowering, type LoweringContext } from './lowering.ts';

/** COPY and ADD: one layer from any number of sources. */
export const lowerCopy: Lowering<CopyInstruction> = (state, instruction, context) => {
  const fields = expandFields(state, instruction, context);
  const command = describeCommand(instruction, lookupIn(state.env), { escape: context.escape });
  const named = nameStep(state, command, context);
  const sources: StepId[] = [];
  const taken = copySelections(state, instruction, { context, sources, name: named.name });
  const op = copyOp(instruction, taken.selections, { ...fields, cwd: cwdOf(state) });
  const { noCache, graph } = context;
  const common = { noCache, location: instruction.location };
  const { advice } = taken;
  const base = fields.link ? undefined : state.tip;
  const copied = graph.add({
    op,
    ...(base === undefined ? {} : { base }),
    sources,
    name: named.name,
    ...common,
    advice,
  });
  const { name } = nameStep(state, `LINK ${command}`, context);
  const stacked = fields.link && state.tip !== undefined;
  const tip = stacked
    ? graph.add({ op: { kind: 'stack' }, base: state.tip, sources: [copied], name, ...common })
    : copied;
  return withStep(named.state, tip, historyOf(instruction, fields, taken.shown));
};

/** The parts of an instruction that may hold variables. */
interface CopyFields {
  readonly destination: string;
  /** Blank if not given, like the mode. */
  readonly chown: string;
  readonly chmod: string;
  /** A mode cannot be applied to directories that are not known yet. With one, Docker copies without `--link`. */
  readonly link: boolean;
}

function expandFields(state: StageState, instruction: CopyInstruction, context: LoweringContext): CopyFields {
  const { chown, chmod, destination } = instruction;
  const expand = (word: Word | undefined): string => (word === undefined ? '' : expandIn(state, word, context));
  const fields = { destination: expand(destination), chown: expand(chown), chmod: expand(chmod) };
  const link = instruction.link && fields.chmod === '';
  const named = fields.chown.split(':').some((id) => id !== '' && id !== 'root' && !/^\d+$/.test(id));
  if (!link || !named) return { ...fields, link };
  const message = `The owner ${JSON.stringify(fields.chown)} cannot be looked up with --link, which does not see the files below`;
  throw semanticError(message, chown?.location ?? instruction.location, 'Give numbers, or leave out --link');
}

function copyOp(
  instruction: CopyInstruction,
  [first, ...more]: readonly CopySelection[],
  { destination, chown, chmod, cwd }: CopyFields & { readonly cwd: string },
): CopyOp {
  if (first === undefined) throw semanticError('There is nothing to copy', instruction.location);
  return {
    kind: 'copy',
    ...first,
    ...(more.length === 0 ? {} : { more }),
    destination: resolveDestination(cwd, destination),
    ...(chown === '' ? {} : { chown }),
    ...(chmod === '' ? {} : { chmod: readMode(chmod, instruction) }),
    exclude: instruction.exclude.map(({ text }) => text),
    parents: instruction.parents,
  };
}

function historyOf(
  { kind, parents }: CopyInstruction,
  { chown, chmod, destination }: CopyFields,
  sources: readonly string[],
): string {
  const flags = [
    ...(parents ? ['--parents'] : []),
    ...(chown === '' ? [] : [`--chown=${chown}`]),
    ...(chmod === '' ? [] : [`--chmod=${chmod}`]),
  ];
  return [kind.toUpperCase(), ...flags, ...sources, destination, '# buildkit'].join(' ');
}

/** Absolute and clean. A trailing slash marks a directory. */
export function resolveDestination(cwd: string, written: string): string {
  const isDirectory = written === '' || written === '.' || written.endsWith('/') || written.endsWith('/.');
  const path = posix.resolve('/', cwd, written);
  return isDirectory && path !== '/' ? `${path}/` : path;
}

const SYMBOLIC = /^[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+$/;

function readMode(text: string, { chmod, location }: CopyInstruction): ModeChange {
  if (/^[0-7]+$/.test(text) && Number.parseInt(text, 8) <= 0o7777) return Number.parseInt(text, 8);
  if (text.split(',').every((clause) => SYMBOLIC.test(clause))) return text;
  throw semanticError(
    `Mode ${JSON.stringify(text)} is not valid: expected an octal number up to 07777 or chmod's symbols`,
    chmod?.location ?? location,
    'Write for example --chmod=755 or --chmod=u=rwX,go=rX',
  );
}
