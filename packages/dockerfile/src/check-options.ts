import { TbuildError } from '@tbuild/errors';
import { goBool } from '@tbuild/oci';
import type { InstructionBase } from './instruction.ts';

/** The lint options of a Dockerfile: the value of `# check=`. */
export interface CheckOptions {
  /** Rules that are skipped. */
  readonly skip: 'all' | readonly string[];
  /** Experimental rules that are enabled. */
  readonly experimental: 'all' | readonly string[];
  /** Whether a warning fails the build. */
  readonly error: boolean;
}

/** The default: all stable rules, and no failure. */
export const DEFAULT_CHECK_OPTIONS: CheckOptions = { skip: [], experimental: [], error: false };

/** Parses `skip=Rule,Rule;error=true;experimental=all`. Throws DOCKERFILE_SYNTAX for anything else. */
export function parseCheckOptions(text: string): CheckOptions {
  let options = DEFAULT_CHECK_OPTIONS;
  for (const part of text.trim() === '' ? [] : text.split(';')) {
    const equals = part.indexOf('=');
    const key = part.slice(0, Math.max(0, equals)).trim();
    const value = part.slice(equals + 1).trim();
    if (key === 'skip') options = { ...options, skip: parseRules(value) };
    else if (key === 'experimental') options = { ...options, experimental: parseRules(value) };
    else if (key === 'error' && goBool(value) !== undefined) options = { ...options, error: goBool(value) === true };
    else throw new TbuildError('DOCKERFILE_SYNTAX', `Invalid check option "${part.trim()}"`);
  }
  return options;
}

/** Returns the options, extended by those in the comments above an instruction. */
export function checkOptionsFor(instruction: InstructionBase, options: CheckOptions): CheckOptions {
  return instruction.comments.reduce((merged, comment) => {
    const text = /^check\s*=(.*)$/i.exec(comment)?.[1];
    return text === undefined ? merged : mergeOptions(merged, text);
  }, options);
}

/** Returns whether a rule is reported. As in Docker, `skip=all` skips the stable rules. */
export function isRuleEnabled(
  rule: { readonly name: string; readonly experimental?: boolean },
  { skip, experimental }: CheckOptions,
): boolean {
  if (skip !== 'all' && skip.includes(rule.name)) return false;
  if (rule.experimental !== true) return skip !== 'all';
  return experimental === 'all' || experimental.includes(rule.name);
}

function mergeOptions(options: CheckOptions, text: string): CheckOptions {
  const skip = /(?:^|;)\s*skip\s*=([^;]*)/.exec(text)?.[1];
  if (skip === undefined) return options;
  const rules = parseRules(skip.trim());
  if (rules === 'all' || options.skip === 'all') return { ...options, skip: 'all' };
  return { ...options, skip: [...options.skip, ...rules] };
}

function parseRules(value: string): 'all' | readonly string[] {
  return value === 'all' ? 'all' : value.split(',').map((rule) => rule.trim());
}
