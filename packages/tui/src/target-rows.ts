import { timeOf, type BuildView, type StepView } from './build-view.ts';
import { formatSeconds } from './format.ts';
import type { Row, Screen, Tone } from './rows.ts';

/** Targets take at most this part of the screen; the rest is for steps. */
const PART = 1 / 2;

/**
 * Returns a line for each target of a build of several: how many of its steps have finished. Targets that are still at
 * work come first when not all of them fit.
 */
export function targetRows({ steps }: BuildView, now: number, { rows }: Pick<Screen, 'rows'>): readonly Row[] {
  const byTarget = new Map<string, StepView[]>();
  for (const step of steps.values()) {
    if (step.target === undefined) continue;
    const own = byTarget.get(step.target);
    if (own === undefined) byTarget.set(step.target, [step]);
    else own.push(step);
  }
  const all = [...byTarget].map(([name, own]) => ({ isDone: own.every(hasFinished), row: targetRow(name, own, now) }));
  const room = Math.max(1, Math.floor(rows * PART) - 1);
  if (all.length <= room) return all.map(({ row }) => row);
  const ordered = [...all.filter(({ isDone }) => !isDone), ...all.filter(({ isDone }) => isDone)];
  const shown = ordered.slice(0, room - 1).map(({ row }) => row);
  return [...shown, { text: ` ${all.length - shown.length} more targets`, tone: 'faint' }];
}

function targetRow(name: string, steps: readonly StepView[], now: number): Row {
  const finished = steps.filter(hasFinished).length;
  const started = Math.min(...steps.map(({ startedAt = Infinity }) => startedAt));
  const ended = finished === steps.length ? Math.max(...steps.map((step) => step.finishedAt ?? 0)) : now;
  const timer = started === Infinity ? {} : { timer: formatSeconds(ended - started) };
  return { text: ` ${name} (${finished}/${steps.length})${workOf(steps, now)}`, ...timer, tone: toneOf(steps) };
}

/** Returns the name of the step that has run for the longest time. */
function workOf(steps: readonly StepView[], now: number): string {
  const running = steps.filter(({ state }) => state === 'running');
  const [longest] = running.toSorted((a, b) => timeOf(b, now) - timeOf(a, now));
  return longest === undefined ? '' : ` ${longest.name.replace(/^\[[^\]]*\] /, '')}`;
}

function hasFinished({ state }: StepView): boolean {
  return state !== 'waiting' && state !== 'running';
}

function toneOf(steps: readonly StepView[]): Tone {
  if (steps.some(({ state }) => state === 'failed')) return 'failed';
  return steps.every(hasFinished) ? 'done' : 'plain';
}
