import type { JSX } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { formatBytes, formatTime } from '../format.ts';
import type { BuildFacts, Span, StepFacts } from '../report-data.ts';
import { hrefOf } from './place.ts';
import { criticalPath, savings, timeOf } from './step-times.ts';

interface TimelineProps {
  readonly build: BuildFacts;
  /** The index of the step that is shown below. */
  readonly step: number | undefined;
}

const ZOOMS = [1, 2, 4, 8, 16, 32, 64];

/** Shows a lane for each step, in the order in which they began. */
export function TimelineView({ build, step: chosen }: TimelineProps): JSX.Element {
  const [zoom, setZoom] = useState(0);
  const change = (by: number): void => setZoom((now) => Math.min(ZOOMS.length - 1, Math.max(0, now + by)));
  const onKeyDown = ({ key }: KeyboardEvent): void => {
    if (key === '+' || key === '-') change(key === '+' ? 1 : -1);
    if (key === '0') setZoom(0);
  };
  const saved = useMemo(() => savings(build), [build]);
  const shown = chosen === undefined ? undefined : build.steps[chosen];
  return (
    <section onKeyDown={onKeyDown}>
      <div class="bar">
        <Legend />
        <span class="buttons">
          <button onClick={() => change(-1)} disabled={zoom === 0} aria-label="Zoom out">
            −
          </button>
          <button onClick={() => change(1)} disabled={zoom === ZOOMS.length - 1} aria-label="Zoom in">
            +
          </button>
        </span>
      </div>
      {shown !== undefined && <StepPanel step={shown} index={chosen ?? 0} saved={saved.get(shown.id) ?? 0} />}
      <Lanes build={build} zoom={ZOOMS[zoom] ?? 1} />
    </section>
  );
}

function Lanes({ build, zoom }: { readonly build: BuildFacts; readonly zoom: number }): JSX.Element {
  const scroll = useRef<HTMLDivElement>(null);
  const critical = useMemo(() => criticalPath(build), [build]);
  const steps = build.steps.map((step, index) => ({ step, index })).filter(({ step }) => step.runs.length > 0);
  steps.sort((a, b) => beginOf(a.step) - beginOf(b.step));
  return (
    <div class="timeline">
      <ol class="names">
        <li class="axis" />
        {steps.map(({ step, index }) => (
          <li key={step.id} class={critical.has(step.id) ? 'critical' : ''}>
            <a href={hrefOf({ view: 'timeline', step: index })} title={step.name}>
              {step.name}
            </a>
          </li>
        ))}
      </ol>
      <div
        class="scroll"
        ref={scroll}
        tabIndex={0}
        role="group"
        aria-label="Lanes"
        onPointerDown={(event) => pan(event, scroll.current)}
      >
        <div class="lanes" style={{ width: `${zoom * 100}%` }}>
          <Axis build={build} parts={5 * zoom} />
          {steps.map(({ step }) => (
            <Lane key={step.id} step={step} build={build} isCritical={critical.has(step.id)} />
          ))}
        </div>
      </div>
    </div>
  );
}

function beginOf({ waits, runs }: StepFacts): number {
  return Math.min(waits[0]?.from ?? Infinity, runs[0]?.from ?? Infinity);
}

/** Moves the lanes with the pointer. */
function pan(down: PointerEvent, lanes: HTMLElement | null): void {
  if (lanes === null || down.pointerType === 'touch' || down.button !== 0) return;
  const begin = lanes.scrollLeft + down.clientX;
  const move = ({ clientX }: PointerEvent): void => void (lanes.scrollLeft = begin - clientX);
  addEventListener('pointermove', move);
  addEventListener('pointerup', () => removeEventListener('pointermove', move), { once: true });
}

function Legend(): JSX.Element {
  return (
    <ul class="legend">
      {['built', 'cached', 'failed', 'waits', 'transfer'].map((kind) => (
        <li key={kind}>
          <i class={`swatch ${kind}`} /> {kind}
        </li>
      ))}
      <li>
        <b>bold</b>: the build had to wait for it
      </li>
    </ul>
  );
}

function Axis({ build, parts }: { readonly build: BuildFacts; readonly parts: number }): JSX.Element {
  const length = build.finishedAt - build.startedAt;
  return (
    <div class="axis" aria-hidden="true">
      {Array.from({ length: parts }, (_, at) => (
        <span key={at} style={{ left: `${(at / parts) * 100}%` }}>
          {formatTime((length * at) / parts)}
        </span>
      ))}
    </div>
  );
}

interface LaneProps {
  readonly step: StepFacts;
  readonly build: BuildFacts;
  readonly isCritical: boolean;
}

function Lane({ step, build: { startedAt, finishedAt }, isCritical }: LaneProps): JSX.Element {
  const length = Math.max(1, finishedAt - startedAt);
  const at = ({ from, to }: Span) => ({
    left: `${((from - startedAt) / length) * 100}%`,
    width: `${(Math.max(0, to - from) / length) * 100}%`,
  });
  const transfers = step.transfers.filter(({ from, to }) => to > from);
  return (
    <div class={`lane ${isCritical ? 'critical' : ''}`}>
      {step.waits.map((span) => (
        <i key={span.from} class="span waits" style={at(span)} title={`waited ${formatTime(span.to - span.from)}`} />
      ))}
      {step.runs.map((span) => (
        <i
          key={span.from}
          class={`span ${step.outcome ?? 'cancelled'}`}
          style={at(span)}
          title={`${step.name}\n${step.outcome ?? 'not finished'}, ${formatTime(span.to - span.from)}`}
        />
      ))}
      {transfers.map((one) => (
        <i
          key={one.item}
          class="span transfer"
          style={at(one)}
          title={`${one.item}: ${formatBytes(one.bytes)} in ${formatTime(one.to - one.from)}`}
        />
      ))}
    </div>
  );
}

interface StepPanelProps {
  readonly step: StepFacts;
  readonly index: number;
  /** How much sooner the build would have ended with this step cached, in milliseconds. */
  readonly saved: number;
}

function StepPanel({ step, index, saved }: StepPanelProps): JSX.Element {
  const { name, outcome, reason, error, location, bytes, log } = step;
  return (
    <aside class="step" aria-label="The chosen step">
      <h2>{name}</h2>
      <p>
        {outcome ?? 'not finished'} in {formatTime(timeOf(step))}
        {bytes === undefined ? '' : `, ${formatBytes(bytes)} of files`}
        {reason === undefined ? '' : `. It ran because ${reason}`}.
        {saved > 0 && ` Cached, it would have ended the build ${formatTime(saved)} sooner.`}
      </p>
      {error !== undefined && <pre>{error}</pre>}
      <p class="links">
        {log.length > 0 && <a href={hrefOf({ view: 'logs', step: index })}>Output</a>}{' '}
        {location !== undefined && <a href="#dockerfile">{`${location.file}:${location.start.line}`}</a>}
      </p>
    </aside>
  );
}
