import { posix } from 'node:path';
import type { CopyInstruction } from '@tbuild/dockerfile';
import type { ModeChange, StepId } from '@tbuild/graph';
import { lookupIn } from '../environment.ts';
import { cwdOf, withStep } from '../stage-state.ts';
import type { StageState } from '../stage-state.ts';
import { copySelections } from './copy-sources.ts';
import { describeCommand } from './describe.ts';
import { expandIn, nameStep, semanticError } from './lowering.ts';
import type { Lowering, LoweringContext } from './lowering.ts';

/** COPY and ADD: one layer, from however many places it comes. */
export const lowerCopy: Lowering<CopyInstruction> = (state, instruction, context) => {
  const { destination, parents, exclude } = instruction;
  const written = expandIn(state, destination, context);
  const chown = expandOptional(state, instruction.chown, context);
  const chmod = expandOptional(state, instruction.chmod, context);
  const description = describeCommand(instruction, lookupIn(state.env), context);
  const named = nameStep(state, description, context);
  const sources: StepId[] = [];
  const taken = copySelections(state, instruction, { context, sources, name: named.name });
  const [first, ...more] = taken.selections;
  if (first === undefined) throw semanticError('There is nothing to copy', instruction.location);
  // A mode cannot be given to directories that are not known yet, so Docker then copies as usual.
  const link = instruction.link && chmod === '';
  const { location } = instruction;
  const common = { noCache: context.noCache, location };
  const copied = context.graph.add({
    op: {
      kind: 'copy',
      ...first,
      ...(more.length === 0 ? {} : { more }),
      destination: resolveDestination(cwdOf(state), written),
      ...(chown === '' ? {} : { chown }),
      ...(chmod === '' ? {} : { chmod: readMode(chmod, instruction) }),
      exclude: exclude.map(({ text }) => text),
      parents,
    },
    ...(link ? {} : { base: state.tip }),
    sources,
    name: named.name,
    ...common,
  });
  const stacked = link && state.tip !== undefined;
  const tip = stacked
    ? context.graph.add({
        op: { kind: 'stack' },
        base: state.tip,
        sources: [copied],
        name: nameStep(state, `LINK ${description}`, context).name,
        ...common,
      })
    : copied;
  const flags = [...(parents ? ['--parents'] : []), ...shown('--chown', chown), ...shown('--chmod', chmod)];
  const createdBy = [instruction.kind.toUpperCase(), ...flags, ...taken.shown, written, '# buildkit'].join(' ');
  return withStep(named.state, tip, createdBy);
};

/** Absolute and cleaned; a slash at the end says that it is a directory. */
export function resolveDestination(cwd: string, written: string): string {
  const isDirectory = written === '' || written === '.' || written.endsWith('/') || written.endsWith('/.');
  const path = posix.resolve('/', cwd, written);
  return isDirectory && path !== '/' ? `${path}/` : path;
}

function expandOptional(state: StageState, word: CopyInstruction['chown'], context: LoweringContext): string {
  return word === undefined ? '' : expandIn(state, word, context);
}

function shown(flag: string, value: string): string[] {
  return value === '' ? [] : [`${flag}=${value}`];
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
