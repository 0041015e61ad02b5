import { stepsIn, withLine, type BuildView, type StepView, type WarningView } from './build-view.ts';
import { formatLogTime } from './format.ts';

const SHOWN_LINES = 10;

export interface EpilogueOptions {
  readonly color?: boolean;
  /** What is written below a warning; without it they are one line each. */
  readonly expandWarning?: (warning: WarningView) => string;
}

/** What is repeated at the end: the last output of each step that failed, then all warnings; ends with a line feed unless empty. */
export function epilogue(view: BuildView, options: EpilogueOptions = {}): string {
  return stepsIn(view, 'failed').map(failure).join('') + warnings(view, options);
}

function failure(step: StepView): string {
  const log = step.log.lines.slice(-SHOWN_LINES).map(({ after, text }) => `${formatLogTime(after)} ${text}\n`);
  return `------\n > ${step.name}:\n${log.join('')}------\n`;
}

function warnings({ warnings: all }: BuildView, { color = false, expandWarning }: EpilogueOptions): string {
  if (all.length === 0) return '';
  const count = all.length === 1 ? '1 warning' : `${all.length} warnings`;
  const heading = `${count} found${expandWarning === undefined ? ' (use --debug to expand)' : ''}:`;
  const lines = all.map((warning) => ` - ${withLine(warning)}\n${expandWarning?.(warning) ?? ''}`);
  return `\n ${color ? `\x1b[33m${heading}\x1b[39m` : heading}\n${lines.join('')}`;
}

/** Why each step that ran was not cached, one line each. */
export function explanations(view: BuildView): string {
  return stepsIn(view, 'built')
    .map(({ name, reason }) => (reason === undefined ? '' : ` ${name}\n   missed: ${reason}\n`))
    .join('');
}
