import { stepsIn, withLine, type BuildView, type StepView, type WarningView } from './build-view.ts';
import { formatLogTime } from './format.ts';
import type { KeptOutput } from './kept-output.ts';
import { defaultTheme, type Theme } from './theme.ts';

const SHOWN_LINES = 10;

export interface EpilogueOptions {
  readonly color?: boolean;
  readonly theme?: Theme;
  /** Returns the text below a warning; without it, a warning is one line. */
  readonly expandWarning?: (warning: WarningView) => string;
  /** Holds the whole output of failed steps; without it, their last lines are repeated. */
  readonly output?: KeptOutput;
}

/**
 * Returns the text at the end of a build: the output of each failed step, then all warnings. Ends with a line feed
 * unless empty.
 */
export function epilogue(view: BuildView, options: EpilogueOptions = {}): string {
  return failures(view, options.output) + warnings(view, options);
}

/** Returns the output of each failed step: all of it, or its last lines where the rest is on the screen already. */
export function failures(view: BuildView, output?: KeptOutput): string {
  return stepsIn(view, 'failed')
    .map((step) => failure(step, output?.of(step) ?? { lines: step.log.lines.slice(-SHOWN_LINES), omitted: 0 }))
    .join('');
}

function failure({ name }: StepView, { lines, omitted }: ReturnType<KeptOutput['of']>): string {
  const note = omitted === 0 ? '' : `[${omitted} earlier lines are not shown; --progress plain prints them]\n`;
  const log = lines.map(({ after, text }) => `${formatLogTime(after)} ${text}\n`);
  return `------\n > ${name}:\n${note}${log.join('')}------\n`;
}

function warnings(
  { warnings: all }: BuildView,
  { color = false, theme = defaultTheme, expandWarning }: EpilogueOptions,
): string {
  if (all.length === 0) return '';
  const count = all.length === 1 ? '1 warning' : `${all.length} warnings`;
  const heading = `${count} found${expandWarning === undefined ? ' (use --debug to expand)' : ''}:`;
  const lines = all.map((warning) => ` - ${withLine(warning)}\n${expandWarning?.(warning) ?? ''}`);
  return `\n ${color ? `${theme.warning}${heading}\x1b[39m` : heading}\n${lines.join('')}`;
}

/** Returns why each step that ran was not cached, one line per step. */
export function explanations(view: BuildView): string {
  return stepsIn(view, 'built')
    .map(({ name, reason }) => (reason === undefined ? '' : ` ${name}\n   missed: ${reason}\n`))
    .join('');
}
