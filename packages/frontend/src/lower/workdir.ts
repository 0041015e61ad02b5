import { posix } from 'node:path';
import type { SingleWordInstruction } from '@tbuild/dockerfile';
import { lookupIn } from '../environment.ts';
import { formatQuoted } from '../go-format.ts';
import { cwdOf, withConfig, withHistory, withStep } from '../stages/stage-state.ts';
import { describeCommand } from './describe.ts';
import { expandIn, nameStep, type Lowering } from './lowering.ts';

/**
 * WORKDIR: always a layer, even if the directory exists. Only the root has none. An absolute path stays as it is written;
 * a relative one becomes clean.
 */
export const lowerWorkdir: Lowering<SingleWordInstruction> = (state, instruction, context) => {
  const written = expandIn(state, instruction.value, context);
  if (!state.ownWorkdir && !written.startsWith('/')) {
    const message = `Relative workdir ${formatQuoted(written)} can have unexpected results if the base image changes`;
    context.warn('WorkdirRelativePath', message, instruction.value.location);
  }
  const path = written.startsWith('/') ? written : resolveDirectory(cwdOf(state), written);
  const moved = withConfig({ ...state, ownWorkdir: true }, { WorkingDir: path });
  const createdBy = `WORKDIR ${path}`;
  if (path === '/') return withHistory(moved, createdBy);
  const named = nameStep(moved, describeCommand(instruction, lookupIn(state.env), { escape: context.escape }), context);
  const step = context.graph.add({
    op: { kind: 'mkdir', path: resolveDirectory('/', path), mode: 0o755, user: state.config.User ?? '' },
    base: state.tip,
    sources: [],
    name: named.name,
    noCache: context.noCache,
    location: instruction.location,
  });
  return withStep(named.state, step, createdBy);
};

/** Resolves a path against the working directory. The result is clean and has no trailing slash. */
export function resolveDirectory(cwd: string, path: string): string {
  return posix.resolve('/', cwd, path);
}
