import { hasCode, withoutCredentials } from '@tbuild/errors';
import { formatPlatform, normalizePlatform, type Platform, parsePlatform } from '@tbuild/oci';
import { variable, type Environment } from './environment.ts';

/** The numbering of the steps of one stage. */
export interface Numbering {
  /** Undefined in a file with one stage. */
  readonly stageName?: string;
  /** 0 for steps without a number. */
  readonly total: number;
  /** Shown in builds for several platforms. */
  readonly platform?: Platform;
}

export interface StepLabel {
  /** Counted from 1. */
  readonly position: number;
  readonly command: string;
  /** Whether the instruction comes from an ONBUILD trigger. */
  readonly trigger?: boolean;
  /** The platform that the step builds for, if it differs from the one that it runs on. */
  readonly env?: Environment;
}

/**
 * Returns the name of a step as buildx prints it, e.g. `[build 2/4] RUN make`. Logs show it and the store keeps it, so it
 * never has credentials of URLs.
 */
export function stepName(numbering: Numbering, { position, trigger, env, ...label }: StepLabel): string {
  const command = withoutCredentials(label.command);
  const { stageName, total, platform } = numbering;
  if (total === 0) return command;
  const width = String(total).length;
  const parts = [
    ...(platform === undefined
      ? []
      : [`${formatPlatform(platform)}${env === undefined ? '' : crossTarget(platform, env)}`]),
    ...(stageName === undefined ? [] : [stageName]),
    `${String(position).padStart(width)}/${total}`,
  ];
  return `[${parts.join(' ')}] ${trigger === true ? 'ONBUILD ' : ''}${command}`;
}

/**
 * Joins an instruction on one line as Docker does: without continuations, comments, blank lines and heredoc bodies, but
 * with its blanks.
 */
export function commandLine(text: string, escape: '\\' | '`'): string {
  const continuation = escape === '\\' ? /(^|[^\\])\\[ \t]*$/ : /(^|[^`])`[ \t]*$/;
  const lines = text.split(/\r?\n/);
  let joined = '';
  for (const [index, line] of lines.entries()) {
    if (index > 0 && (/^\s*#/.test(line) || line.trim() === '')) continue;
    const stripped = line.replace(continuation, '$1');
    joined += stripped;
    if (!continuation.test(line)) break;
  }
  const trimmed = joined.trim();
  const [keyword = ''] = trimmed.split(/[\t\v\f\r ]/, 1);
  return keyword.toUpperCase() + trimmed.slice(keyword.length);
}

/** Returns the first line of a heredoc, followed by `...` if it has more. */
export function summarizeHeredoc(content: string): string {
  const [first = '', ...rest] = content.trim().split(/\r?\n/);
  return rest.length === 0 ? first : `${first}...`;
}

function crossTarget(platform: Platform, env: Environment): string {
  const target = targetOf(platform, env);
  if (target === undefined || (target.os === platform.os && target.architecture === platform.architecture)) return '';
  const { architecture, variant } = target;
  if (target.os !== platform.os) return `->${formatPlatform(target)}`;
  return `->${variant === undefined ? architecture : `${architecture}/${variant}`}`;
}

/** Returns the values of TARGETPLATFORM and similar arguments, if the stage declares them. */
function targetOf(platform: Platform, env: Environment): Platform | undefined {
  const whole = variable(env, 'TARGETPLATFORM');
  const parsed = whole === undefined ? undefined : tryParsePlatform(whole, platform);
  if (parsed !== undefined) return parsed;
  const [os, architecture, variant] = ['TARGETOS', 'TARGETARCH', 'TARGETVARIANT'].map((name) => variable(env, name));
  if (os === undefined && architecture === undefined && variant === undefined) return undefined;
  return normalizePlatform({ os: os || platform.os, architecture: architecture || platform.architecture, variant });
}

function tryParsePlatform(text: string, host: Platform): Platform | undefined {
  try {
    return parsePlatform(text, host);
  } catch (error) {
    if (hasCode(error, 'USAGE')) return undefined;
    throw error;
  }
}
