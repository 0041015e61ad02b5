/** The end of a step in the plain display. */
export type StepStatus = 'done' | 'cached' | 'error' | 'canceled' | 'unknown';

const words: Readonly<Record<string, StepStatus>> = {
  DONE: 'done',
  CACHED: 'cached',
  'ERROR:': 'error',
  CANCELED: 'canceled',
};

/** Returns the steps in `--progress plain` output (`#7 [build 2/4] RUN …`, `#7 CACHED`) by headline. */
export function stepsIn(output: string): Map<string, StepStatus> {
  const names = new Map<string, string>();
  const steps = new Map<string, StepStatus>();
  for (const line of output.split('\n')) {
    const [, number, rest] = /^#(\d+) (.*)$/.exec(line) ?? [];
    if (number === undefined || rest === undefined) continue;
    const name = names.get(number);
    if (name === undefined) {
      names.set(number, rest);
      steps.set(rest, 'unknown');
      continue;
    }
    const status = words[rest.split(' ')[0]!];
    if (status !== undefined) steps.set(name, status);
  }
  return steps;
}

/** Returns the instructions that changed files and were not cached (`RUN …`, without numbers) from a plain output. */
export function ranIn(output: string): string[] {
  const steps = [...stepsIn(output)].filter(([name]) => /\] (LINK )?(RUN|COPY|ADD|WORKDIR) /.test(name));
  return steps.filter(([, status]) => status !== 'cached').map(([name]) => name.replace(/^\[.*?\] /, ''));
}

/** Returns the status of the one step whose headline contains `part`; throws unless there is exactly one. */
export function statusOf(output: string, part: string): StepStatus {
  const found = [...stepsIn(output)].filter(([name]) => name.includes(part));
  if (found.length !== 1) throw new Error(`${found.length} steps contain "${part}" in:\n${output}`);
  return found[0]![1];
}
