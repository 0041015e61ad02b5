import type {
  CommandInstruction,
  CommandLine,
  HealthcheckInstruction,
  KeyValuesInstruction,
  ListInstruction,
  OnbuildInstruction,
  ShellInstruction,
  SingleWordInstruction,
} from '@tbuild/dockerfile';
import type { HealthConfig } from '@tbuild/oci';
import { formatDuration, formatList, formatQuotedList } from '../go-format.ts';
import {
  shellOf,
  withAdded,
  withConfig,
  withConfigVariable,
  withHistory,
  type StageState,
} from '../stages/stage-state.ts';
import { expandIn, semanticError, type Lowering, type LoweringContext } from './lowering.ts';
import { warnOfSecret } from './secret-names.ts';
import { isSignal } from './signals.ts';

/** ENV: all values see the variables from before the instruction. */
export const lowerEnv: Lowering<KeyValuesInstruction> = (state, instruction, context) => {
  const pairs = expandPairs(state, instruction, context);
  warnOfLegacyForm(instruction, context);
  for (const [index, { key }] of instruction.pairs.entries()) {
    warnOfSecret('ENV', { name: pairs[index]?.[0] ?? '', place: key.location }, context);
  }
  const next = pairs.reduce((current, [name, value]) => withConfigVariable(current, name, value), state);
  return withHistory(next, ['ENV', ...pairs.map(([name, value]) => `${name}=${value}`)].join(' '));
};

/** LABEL. */
export const lowerLabel: Lowering<KeyValuesInstruction> = (state, instruction, context) => {
  warnOfLegacyForm(instruction, context);
  const pairs = expandPairs(state, instruction, context);
  const next = withAdded(state, 'labels', pairs);
  return withHistory(next, ['LABEL', ...pairs.map(([name, value]) => `${name}=${value}`)].join(' '));
};

/** CMD. Docker's builder sets `ArgsEscaped` on Linux too. */
export const lowerCmd: Lowering<CommandInstruction> = (state, instruction, context) => {
  warnOfShellForm(state, instruction, context);
  const args = commandArgs(state, instruction.command);
  const next = withConfig({ ...state, ownCommand: true }, { Cmd: emptyIsNone(args), ArgsEscaped: true });
  return withHistory(next, `CMD ${formatQuotedList(args)}`);
};

/** ENTRYPOINT. It resets an inherited CMD, which belongs to the inherited entrypoint. */
export const lowerEntrypoint: Lowering<CommandInstruction> = (state, instruction, context) => {
  warnOfShellForm(state, instruction, context);
  const args = commandArgs(state, instruction.command);
  const next = withConfig(state, {
    Entrypoint: emptyIsNone(args),
    ...(state.ownCommand ? {} : { Cmd: undefined }),
  });
  return withHistory(next, `ENTRYPOINT ${formatQuotedList(args)}`);
};

/** SHELL. */
export const lowerShell: Lowering<ShellInstruction> = (state, { args }) =>
  withHistory(withConfig(state, { Shell: args }), `SHELL ${formatList(args)}`);

/** USER. */
export const lowerUser: Lowering<SingleWordInstruction> = (state, { value }, context) => {
  const user = expandIn(state, value, context);
  return withHistory(withConfig(state, { User: user }), `USER ${user}`);
};

/** STOPSIGNAL. */
export const lowerStopsignal: Lowering<SingleWordInstruction> = (state, { value }, context) => {
  const signal = expandIn(state, value, context);
  if (!isSignal(signal)) {
    throw semanticError(`Invalid signal: ${signal}`, value.location, 'Write for example SIGTERM or 15');
  }
  return withHistory(withConfig(state, { StopSignal: signal }), `STOPSIGNAL ${signal}`);
};

/** MAINTAINER: the text is not expanded. */
export const lowerMaintainer: Lowering<SingleWordInstruction> = (state, { value }) =>
  withHistory({ ...state, author: value.text }, `MAINTAINER ${value.text}`);

/** VOLUME. */
export const lowerVolume: Lowering<ListInstruction> = (state, { words }, context) => {
  const volumes = words.map((word) => {
    const volume = expandIn(state, word, context);
    if (volume === '')
      throw semanticError(`Volume ${JSON.stringify(word.text)} is blank after expansion`, word.location);
    return volume;
  });
  const next = withAdded(state, 'volumes', emptyObjects(volumes));
  return withHistory(next, `VOLUME ${formatList(volumes)}`);
};

/** ONBUILD: kept for the stages and images based on this one. It has no entry in the history. */
export const lowerOnbuild: Lowering<OnbuildInstruction> = (state, { trigger }) => ({
  ...state,
  added: { ...state.added, triggers: state.added.triggers.append(trigger) },
});

/** HEALTHCHECK. */
export const lowerHealthcheck: Lowering<HealthcheckInstruction> = (state, instruction) => {
  const { interval, timeout, startPeriod, startInterval, retries } = instruction;
  const test = healthTest(instruction.check);
  const check: HealthConfig = {
    Test: test,
    ...(interval === 0 ? {} : { Interval: interval }),
    ...(timeout === 0 ? {} : { Timeout: timeout }),
    ...(startPeriod === 0 ? {} : { StartPeriod: startPeriod }),
    ...(startInterval === 0 ? {} : { StartInterval: startInterval }),
    ...(retries === 0 ? {} : { Retries: retries }),
  };
  const printed = [
    `Test:${formatList(test)}`,
    `Interval:${formatDuration(interval)}`,
    `Timeout:${formatDuration(timeout)}`,
    `StartPeriod:${formatDuration(startPeriod)}`,
    `StartInterval:${formatDuration(startInterval)}`,
    `Retries:${retries}`,
  ];
  return withHistory(withConfig(state, { Healthcheck: check }), `HEALTHCHECK {${printed.join(' ')}}`);
};

function warnOfLegacyForm({ keyword, legacy, pairs }: KeyValuesInstruction, context: LoweringContext): void {
  if (!legacy) return;
  const message = `"${keyword} key=value" should be used instead of legacy "${keyword} key value" format`;
  context.warn('LegacyKeyValueFormat', message, pairs[0]?.key.location);
}

/** A shell counts as chosen if a base image or SHELL set it, not if it is Docker's default. */
function warnOfShellForm(state: StageState, { command, keyword }: CommandInstruction, context: LoweringContext): void {
  if (command.form === 'exec' || (state.config.Shell ?? []).length > 0) return;
  const subject = `JSON arguments recommended for ${keyword}`;
  context.warn('JSONArgsRecommended', `${subject} to prevent unintended behavior related to OS signals`);
}

/** Returns the entries of an object with these keys, in the form of Docker's sets. */
export function emptyObjects(keys: readonly string[]): [string, object][] {
  return keys.map((key) => [key, {}]);
}

function expandPairs(
  state: StageState,
  { pairs }: KeyValuesInstruction,
  context: Parameters<Lowering>[2],
): [name: string, value: string][] {
  return pairs.map(({ key, value }) => [expandIn(state, key, context), expandIn(state, value, context)]);
}

function commandArgs(state: StageState, command: CommandLine): readonly string[] {
  return command.form === 'exec' ? command.args : [...shellOf(state), command.text];
}

function emptyIsNone(args: readonly string[]): readonly string[] | undefined {
  return args.length === 0 ? undefined : args;
}

function healthTest(check: HealthcheckInstruction['check']): string[] {
  if (check === 'none') return ['NONE'];
  return check.form === 'exec' ? ['CMD', ...check.args] : ['CMD-SHELL', check.text];
}
