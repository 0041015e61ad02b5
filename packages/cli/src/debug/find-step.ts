import type { BuildRecord, RecordedStep } from '@tbuild/builds';
import { TbuildError } from '@tbuild/errors';

/**
 * Finds a step of a build by a line of the Dockerfile, the name of a stage (its last step), or a part of the step's name
 * such as `2/4` or `RUN make`. Defaults to the failed step, else to the last one of the image.
 * @throws TbuildError NOT_FOUND
 */
export function findStep({ id, steps, images, failed }: BuildRecord, at?: string): RecordedStep {
  const last = images.findLast(({ step }) => step !== undefined)?.step;
  const wanted = failed?.step ?? last;
  const found =
    at === undefined
      ? steps.find((step) => step.id === wanted)
      : (atLine(steps, at) ?? ofStage(steps, at) ?? steps.findLast(({ name }) => name.includes(at)));
  if (found !== undefined) return found;
  const message = at === undefined ? `Build ${id} has no step` : `Build ${id} has no step at ${JSON.stringify(at)}`;
  throw new TbuildError('NOT_FOUND', message, { hint: `Run "tbuild builds show ${id}" for a list of its steps` });
}

/** Returns the step of the line, or the one before it. */
function atLine(steps: readonly RecordedStep[], at: string): RecordedStep | undefined {
  if (!/^\d+$/.test(at)) return undefined;
  const lineOf = ({ location }: RecordedStep): number => location?.start.line ?? Infinity;
  return steps
    .filter((step) => lineOf(step) <= Number(at))
    .toSorted((a, b) => lineOf(a) - lineOf(b))
    .at(-1);
}

function ofStage(steps: readonly RecordedStep[], stage: string): RecordedStep | undefined {
  return steps.findLast(({ name }) => /^\[(?:.* )?(\S+) +\d+\/\d+\]/.exec(name)?.[1] === stage);
}
