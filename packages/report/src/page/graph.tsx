import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { formatTime } from '../format.ts';
import type { BuildFacts } from '../report-data.ts';
import { type Box, drawGraph, type Edge } from './graph-layout.ts';
import { hrefOf } from './place.ts';
import { criticalPath, timeOf } from './step-times.ts';

/** Shows the steps as a graph: what builds on what, and what files go where. */
export function GraphView({ build }: { readonly build: BuildFacts }): JSX.Element {
  const { width, height, boxes, edges } = useMemo(() => drawGraph(build), [build]);
  const critical = useMemo(() => criticalPath(build), [build]);
  if (boxes.length === 0) return <p>The steps of this build do not depend on each other.</p>;
  return (
    <section>
      <p class="legend">
        Solid lines lead from a base, dashed lines from a step whose files are read. Thick frames: the build had to wait
        for them.
      </p>
      <div class="wide" tabIndex={0} role="group" aria-label="Graph of the steps">
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
          {edges.map((edge, at) => (
            <path key={at} class={edge.isSource ? 'edge source' : 'edge'} d={pathOf(edge)} />
          ))}
          {boxes.map((box) => (
            <Node key={box.step.id} box={box} isCritical={critical.has(box.step.id)} isTarget={isTarget(box, build)} />
          ))}
        </svg>
      </div>
    </section>
  );
}

/** Whether no other step builds on it. */
function isTarget({ step }: Box, { steps }: BuildFacts): boolean {
  return !steps.some(({ inputs }) => inputs.includes(step.id));
}

function pathOf({ points }: Edge): string {
  return points.map(({ x, y }, at) => `${at === 0 ? 'M' : 'L'}${x} ${y}`).join('');
}

interface NodeProps {
  readonly box: Box;
  readonly isCritical: boolean;
  readonly isTarget: boolean;
}

function Node({ box: { step, index, x, y, width, height }, isCritical, isTarget }: NodeProps): JSX.Element {
  const classes = ['node', step.outcome ?? 'cancelled', isCritical && 'critical', isTarget && 'target'].filter(Boolean);
  const [, position = '', command = step.name] = /^\[(.*?)\] (.*)$/s.exec(step.name) ?? [];
  return (
    <a href={hrefOf({ view: 'timeline', step: index })}>
      <title>{step.name}</title>
      <rect class={classes.join(' ')} x={x} y={y} width={width} height={height} rx="4" />
      <text x={x + 10} y={y + 17} class="small">
        {cut(`${position} · ${step.outcome === 'cached' ? 'cached' : formatTime(timeOf(step))}`, 34)}
      </text>
      <text x={x + 10} y={y + 34}>
        {cut(command, 27)}
      </text>
    </a>
  );
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
