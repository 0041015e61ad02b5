import { stepsIn, withLine, type BuildView, type StepView } from './build-view.ts';
import { formatLogTime } from './format.ts';

const SHOWN_LINES = 10;

/** What is repeated at the end: the last output of each step that failed, then all warnings; ends with a line feed unless empty. */
export function epilogue(view: BuildView): string {
  return stepsIn(view, 'failed').map(failure).join('') + warnings(view);
}

function failure(step: StepView): string {
  const log = step.log.lines.slice(-SHOWN_LINES).map(({ after, text }) => `${formatLogTime(after)} ${text}\n`);
  return `------\n > ${step.name}:\n${log.join('')}------\n`;
}

function warnings({ warnings: all }: BuildView): string {
  if (all.length === 0) return '';
  const count = all.length === 1 ? '1 warning' : `${all.length} warnings`;
  return `\n ${count} found:\n${all.map((warning) => ` - ${withLine(warning)}\n`).join('')}`;
}
