import type { Lookup, RunInstruction } from '@tbuild/dockerfile';
import type { SourceRange } from '@tbuild/errors';
import type { RunMount, RunOp, StepId } from '@tbuild/graph';
import { buildArg } from '../build-args.ts';
import { formatEnvironment, setVariable, variable, type Environment } from '../environment.ts';
import { cwdOf, withStep, type StageState } from '../stages/stage-state.ts';
import { summarizeHeredoc } from '../step-name.ts';
import { describeCommand } from './describe.ts';
import { nameStep, type Lowering, type LoweringContext } from './lowering.ts';
import { runCommand, type RunCommand } from './run-command.ts';
import { expandMounts, lowerMounts, type ExpandedMount } from './run-mounts.ts';

/** RUN. */
export const lowerRun: Lowering<RunInstruction> = (state, instruction, context) => {
  const command = runCommand(state, instruction);
  const sources: StepId[] = [];
  const flags = expandMounts(state, instruction.mounts, context);
  const declared = lowerMounts(state, flags, { context, sources });
  const mounts = command.script === undefined ? declared : [command.script, ...declared];
  const named = nameStep(state, describeRun(state, instruction, { command, flags, context }), context);
  const step = context.graph.add({
    op: {
      kind: 'run',
      args: command.args,
      env: formatEnvironment(withAgent(state.env, mounts)),
      // As it is written: a step also gets the directories that the path goes through.
      cwd: cwdOf(state).replace(/^(?!\/)/, '/'),
      user: state.config.User ?? '',
      hostname: buildArg(context.buildArgs, 'BUILDKIT_SANDBOX_HOSTNAME') || 'buildkitsandbox',
      network:
        instruction.network === undefined || instruction.network === 'default' ? context.network : instruction.network,
      security: instruction.security ?? 'sandbox',
      mounts,
      ...devicesOf(instruction),
      platform: state.platform,
    },
    base: state.tip,
    sources,
    name: named.name,
    noCache: context.noCache,
    location: instruction.location,
  });
  const asked = withDeclaredMounts(named.state, declared, instruction.location);
  return withStep(asked, step, `RUN ${historyOf(state, command.args)} # buildkit`);
};

function devicesOf({ devices }: RunInstruction): Pick<RunOp, 'devices'> {
  return devices === undefined ? {} : { devices: devices.map(({ name, required }) => ({ name, required })) };
}

/** Adds the secrets and agents that a RUN asks for. */
function withDeclaredMounts(state: StageState, mounts: readonly RunMount[], location: SourceRange): StageState {
  const declaredMounts = mounts.reduce(
    (known, mount) =>
      mount.type === 'secret' || mount.type === 'ssh'
        ? known.append({ type: mount.type, name: mount.id, required: mount.required, location })
        : known,
    state.declaredMounts,
  );
  return { ...state, declaredMounts };
}

/** Sets SSH_AUTH_SOCK as Docker does, unless the environment has it. */
function withAgent(env: Environment, mounts: readonly RunMount[]): Environment {
  const agent = mounts.find((mount) => mount.type === 'ssh');
  if (agent?.target === undefined || variable(env, 'SSH_AUTH_SOCK') !== undefined) return env;
  return setVariable(env, 'SSH_AUTH_SOCK', agent.target);
}

/** The declared ARGs with their values, without duplicates, at their first position. */
function historyOf(state: StageState, args: readonly string[]): string {
  const values = new Map(
    state.args.toArray().map(({ name, value = '' }) => [name, variable(state.env, name) ?? value]),
  );
  const declared = Array.from(values, ([name, value]) => `${name}=${value}`);
  const count = declared.length === 0 ? [] : [`|${declared.length}`];
  return [...count, ...declared, ...args].join(' ');
}

function describeRun(
  state: StageState,
  instruction: RunInstruction,
  { command, flags, context }: { command: RunCommand; flags: readonly ExpandedMount[]; context: LoweringContext },
): string {
  const secrets = new Set(flags.flatMap(({ type, options }) => (type === 'secret' ? [options.env] : [])));
  const lookup: Lookup = (name) => (secrets.has(name) ? '****' : variable(state.env, name));
  const text = describeCommand(instruction, lookup, { escape: context.escape, keepQuotes: true, keepUnset: true });
  return command.document === undefined ? text : `${text} (${summarizeHeredoc(command.document)})`;
}
