import { readFlags, type Flags } from '../flags.ts';
import { parseHeredocMark } from '../heredoc.ts';
import type { RunInstruction } from '../instruction.ts';
import { didYouMean, syntaxError } from '../syntax-error.ts';
import { parseDevice } from './device.ts';
import { toCommandLine } from './exec-form.ts';
import { parseMount } from './mount.ts';
import { type InstructionRequest, faultIn } from './request.ts';

const NETWORKS = ['default', 'none', 'host'] as const;
const SECURITY_MODES = ['sandbox', 'insecure'] as const;

/** RUN: a command, its heredocs and mounts. */
export function parseRun(request: InstructionRequest): RunInstruction {
  const flags = readFlags(request.line, request.flags, {
    device: 'list',
    mount: 'list',
    network: 'value',
    security: 'value',
  });
  const command = toCommandLine(request.args);
  if (command.form === 'exec' && command.args.length === 0)
    throw faultIn(request, 'RUN requires at least one argument');
  const network = oneOf(flags, 'network', NETWORKS);
  const security = oneOf(flags, 'security', SECURITY_MODES);
  const devices = (flags.get('device') ?? []).map(parseDevice);
  const { heredocs } = request;
  const isScript = command.form === 'shell' && parseHeredocMark(command.text) !== undefined;
  const script = isScript ? heredocs[0] : undefined;
  return {
    kind: 'run',
    ...request.base,
    command,
    heredocs,
    script,
    mounts: (flags.get('mount') ?? []).map(parseMount),
    network,
    security,
    ...(devices.length === 0 ? {} : { devices }),
  };
}

function oneOf<T extends string>(flags: Flags, name: string, values: readonly T[]): T | undefined {
  const word = flags.get(name)?.[0];
  if (word === undefined) return undefined;
  const value = values.find((candidate) => candidate === word.text);
  if (value !== undefined) return value;
  const message = `Invalid ${name} mode "${word.text}"${didYouMean(word.text, values)}`;
  throw syntaxError(message, word.location, `Use ${values.join(', ')}`);
}
