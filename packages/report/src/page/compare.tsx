import type { JSX } from 'preact';
import { formatTime } from '../format.ts';
import type { BuildFacts, EarlierBuild } from '../report-data.ts';
import { Rows } from './details.tsx';
import { timeOf } from './step-times.ts';

/** Compares the build with the one before, step by step. */
export function CompareView({ build }: { readonly build: BuildFacts }): JSX.Element {
  const { before } = build;
  if (before === undefined) return <p>There is no earlier build to compare with.</p>;
  return (
    <section>
      <p>
        This build took {formatTime(build.finishedAt - build.startedAt)}; {before.title} took{' '}
        {formatTime(before.finishedAt - before.startedAt)}.
      </p>
      <Rows title="Steps" columns={['Step', 'Before', 'Now', 'Difference']} rows={compared(build, before)} />
    </section>
  );
}

function compared({ steps }: BuildFacts, before: EarlierBuild): readonly (readonly string[])[] {
  const earlier = new Map(before.steps.map((step) => [step.name, step]));
  const rows = steps.map((step) => {
    const old = earlier.get(step.name);
    earlier.delete(step.name);
    const difference = timeOf(step) - (old === undefined ? 0 : timeOf(old));
    return [step.name, told(old), told(step), `${difference < 0 ? '−' : '+'}${formatTime(Math.abs(difference))}`];
  });
  return [...rows, ...[...earlier.values()].map((old) => [old.name, told(old), 'not there', ''])];
}

function told(step: EarlierBuild['steps'][number] | undefined): string {
  return step === undefined ? 'not there' : `${step.outcome ?? 'not started'}, ${formatTime(timeOf(step))}`;
}
