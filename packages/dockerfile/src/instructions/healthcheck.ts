import { parseDuration } from '../duration.ts';
import { type Flags, flagWord, readFlags } from '../flags.ts';
import type { HealthcheckInstruction } from '../instruction.ts';
import { syntaxError } from '../syntax-error.ts';
import { toCommandLine } from './exec-form.ts';
import { type InstructionRequest, faultIn } from './request.ts';

const FLAGS = {
  interval: 'value',
  timeout: 'value',
  'start-period': 'value',
  'start-interval': 'value',
  retries: 'value',
} as const;

const INHERIT = { interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 };
const MINIMUM = 1_000_000;

/** HEALTHCHECK: `NONE`, or `CMD` with a command. As in Docker, flags of NONE are ignored. */
export function parseHealthcheck(request: InstructionRequest): HealthcheckInstruction {
  const [type, ...words] = request.args.words;
  if (type === undefined) throw faultIn(request, 'HEALTHCHECK requires at least one argument');
  const kind = type.text.toUpperCase();
  if (kind === 'NONE') {
    if (words.length > 0) throw faultIn(request, 'HEALTHCHECK NONE takes no arguments', words[0]);
    return { kind: 'healthcheck', ...request.base, check: 'none', ...INHERIT };
  }
  const flags = readFlags(request.line, request.flags, FLAGS);
  if (kind !== 'CMD') {
    const message = `Unknown type "${kind}" in HEALTHCHECK (try CMD)`;
    throw syntaxError(message, faultIn(request, message, type).location ?? request.base.location, 'Use CMD or NONE');
  }
  if (words.length === 0) throw faultIn(request, 'Missing command after HEALTHCHECK CMD');
  return {
    kind: 'healthcheck',
    ...request.base,
    check: toCommandLine({ words, json: request.args.json }),
    interval: readDuration(flags, 'interval'),
    timeout: readDuration(flags, 'timeout'),
    startPeriod: readDuration(flags, 'start-period'),
    startInterval: readDuration(flags, 'start-interval'),
    retries: readRetries(flags),
  };
}

function readDuration(flags: Flags, name: string): number {
  const word = flagWord(flags, name);
  if (word === undefined) return 0;
  const duration = parseDuration(word.text);
  if (typeof duration !== 'number') {
    throw syntaxError(
      `Invalid value for --${name}: ${duration.fault}`,
      word.location,
      'Write for example 30s or 1m30s',
    );
  }
  if (duration === 0 || duration >= MINIMUM) return duration;
  throw syntaxError(`Interval "${name}" cannot be less than 1ms`, word.location);
}

function readRetries(flags: Flags): number {
  const word = flagWord(flags, 'retries');
  if (word === undefined) return 0;
  const retries = /^[-+]?\d+$/.test(word.text) ? Number(word.text) : Number.NaN;
  if (Number.isNaN(retries) || Math.abs(retries) >= 2 ** 31) {
    throw syntaxError(`Invalid value for --retries: "${word.text}" is not a number`, word.location);
  }
  if (retries < 0) throw syntaxError(`--retries cannot be negative (${retries})`, word.location);
  return retries;
}
