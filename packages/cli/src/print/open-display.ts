import { TbuildError } from '@tbuild/errors';
import type { ProgressChannel } from '@tbuild/progress';
import { display, readTheme, type DisplayMode, type WarningView } from '@tbuild/tui';
import type { Environment } from '../config/environment.ts';
import type { FlagValues } from '../flags/args.ts';
import type { buildFlags } from '../flags/build-flags.ts';
import { choiceOf } from '../flags/choice.ts';
import { sourceFrame } from './source-frame.ts';

/** The options of a build that say how to show it. */
export type DisplayFlags = FlagValues<Pick<typeof buildFlags, 'quiet' | 'progress' | 'explain' | 'debug'>>;

export interface DisplayOptions {
  readonly mode: DisplayMode;
  now(): number;
  /** How long the build took before, in milliseconds. */
  readonly expected?: number;
  /** What is built, from the most to the fewest words. */
  readonly what?: readonly string[];
  /** Returns the text of a Dockerfile that warnings refer to. */
  sourceOf(file: string): string | undefined;
  /** Tells this display apart from another one of the same process. */
  readonly part?: string;
}

/** Shows a build on standard error. The function that it returns ends that. */
export function openDisplay(
  progress: ProgressChannel,
  { mode, now, expected, what, sourceOf, part, ...flags }: DisplayOptions & Pick<DisplayFlags, 'explain' | 'debug'>,
  { stderr, variables }: Environment,
): () => Promise<void> {
  const shown = display(progress, stderr, {
    mode,
    now,
    expected,
    what,
    color: !variables.NO_COLOR,
    ...styleOf(variables),
    explain: flags.explain,
    sectionName: `tbuild_${process.pid}${part === undefined ? '' : `_${part}`}`,
    ...(flags.debug === true
      ? { expandWarning: (warning: WarningView) => warningInFull(warning, sourceOf, stderr) }
      : {}),
  });
  return async () => {
    progress.close();
    await shown;
  };
}

/** Returns what BuildKit's variables change in the display. */
function styleOf({ BUILDKIT_COLORS = '', BUILDKIT_TTY_LOG_LINES = '' }: Environment['variables']) {
  return {
    ...(BUILDKIT_COLORS === '' ? {} : { theme: readTheme(BUILDKIT_COLORS) }),
    ...(/^[1-9]\d{0,2}$/.test(BUILDKIT_TTY_LOG_LINES) ? { tailLines: Number(BUILDKIT_TTY_LOG_LINES) } : {}),
  };
}

/** Returns the details of a warning for `--debug`. */
function warningInFull(
  { detail, url, location, token }: WarningView,
  sourceOf: DisplayOptions['sourceOf'],
  { columns }: Environment['stderr'],
): string {
  const text = location === undefined ? undefined : sourceOf(location.file);
  const lines = [detail, url && `More info: ${url}`, location && `${location.file}:${location.start.line}`];
  const frame = location === undefined || text === undefined ? '' : sourceFrame(text, location, { token, columns });
  return `${lines.filter((line) => line !== undefined && line !== '').join('\n')}\n${frame}\n`;
}

/** The words of `--progress`. */
export const MODES: Readonly<Record<string, DisplayMode>> = {
  auto: 'plain',
  plain: 'plain',
  tty: 'tty',
  gitlab: 'sections',
  quiet: 'quiet',
  none: 'quiet',
  rawjson: 'json',
};

/**
 * Returns how to show progress, and whether to print the image ID only.
 * @throws TbuildError USAGE
 */
export function displayModeOf(
  { quiet, progress }: DisplayFlags,
  { variables, stderr }: Environment,
): { readonly mode: DisplayMode; readonly quiet: boolean } {
  const wanted = quiet === true ? 'quiet' : (progress ?? variables.BUILDKIT_PROGRESS) || 'auto';
  const word = choiceOf(wanted, Object.keys(MODES), '--progress');
  if (word === 'tty' && !stderr.isTTY)
    throw new TbuildError('USAGE', '--progress tty needs a terminal', { hint: 'Use --progress plain' });
  const mode = word === 'auto' ? automatic(variables, stderr) : MODES[word];
  return { mode: mode ?? 'plain', quiet: word === 'quiet' };
}

function automatic({ GITLAB_CI }: Environment['variables'], { isTTY }: Environment['stderr']): DisplayMode {
  if (isTTY) return 'tty';
  return GITLAB_CI === 'true' ? 'sections' : 'plain';
}
