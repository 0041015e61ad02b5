import Anser from 'anser';
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { formatTime } from '../format.ts';
import type { BuildFacts, StepFacts } from '../report-data.ts';
import { type Line, linesOf, plain } from './log-lines.ts';
import { hrefOf, type Place } from './place.ts';

interface LogsProps {
  readonly build: BuildFacts;
  readonly place: Place;
}

/** Shows the output of steps, and finds lines in all of it. */
export function LogsView({ build, place }: LogsProps): JSX.Element {
  const [search, setSearch] = useState('');
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      document.getElementById('search')?.focus();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, []);
  const steps = build.steps.map((step, index) => ({ step, index })).filter(({ step }) => step.log.length > 0);
  return (
    <section>
      <p class="bar">
        <label>
          Search{' '}
          <input id="search" type="search" value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
        </label>
      </p>
      {build.error !== undefined && <pre class="error">{build.error}</pre>}
      {steps.length === 0 && <p>No step wrote anything.</p>}
      {steps.map(({ step, index }) => (
        <StepLog key={step.id} step={step} index={index} search={search.toLowerCase()} place={place} />
      ))}
    </section>
  );
}

/** Lines that are shown at first. */
const FIRST = 2000;

interface StepLogProps {
  readonly step: StepFacts;
  readonly index: number;
  readonly search: string;
  readonly place: Place;
}

function StepLog({ step, index, search, place }: StepLogProps): JSX.Element | null {
  const lines = useMemo(() => linesOf(step.log), [step]);
  const isAsked = place.step === index;
  const [isOpen, setOpen] = useState(isAsked || step.outcome === 'failed');
  const [all, setAll] = useState(false);
  useEffect(() => {
    if (!isAsked) return;
    setOpen(true);
    if ((place.line ?? 0) > FIRST) setAll(true);
  }, [isAsked, place.line]);
  useEffect(() => {
    if (isAsked && isOpen) document.getElementById(`${index}/${place.line ?? ''}`)?.scrollIntoView({ block: 'center' });
  }, [isAsked, isOpen, all, place.line]);
  const found = search === '' ? lines : lines.filter(({ text }) => plain(text).toLowerCase().includes(search));
  if (found.length === 0) return null;
  const shown = all ? found : found.slice(0, FIRST);
  return (
    <details
      id={`${index}/`}
      class="log"
      open={isOpen || search !== ''}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>
        {step.name}{' '}
        <small>
          {found.length} {found.length === 1 ? 'line' : 'lines'}
        </small>
      </summary>
      {(isOpen || search !== '') && (
        <ol>
          {shown.map((line) => (
            <LogLine
              key={line.number}
              line={line}
              index={index}
              from={step.runs[0]?.from ?? line.at}
              isAsked={isAsked && place.line === line.number}
            />
          ))}
        </ol>
      )}
      {found.length > shown.length && <button onClick={() => setAll(true)}>Show all {found.length} lines</button>}
    </details>
  );
}

interface LogLineProps {
  readonly line: Line;
  readonly index: number;
  /** When the step began. */
  readonly from: number;
  readonly isAsked: boolean;
}

function LogLine({ line: { number, at, text }, index, from, isAsked }: LogLineProps): JSX.Element {
  return (
    <li id={`${index}/${number}`} class={isAsked ? 'asked' : ''}>
      <a href={hrefOf({ view: 'logs', step: index, line: number })} aria-label={`Line ${number}`}>
        {number}
      </a>
      <time>{formatTime(at - from)}</time>
      <code>
        {Anser.ansiToJson(text, { use_classes: true, remove_empty: true }).map((part, position) => (
          <span key={position} class={classOf(part)}>
            {part.content}
          </span>
        ))}
      </code>
    </li>
  );
}

function classOf({ fg, bg, decorations }: Anser.AnserJsonEntry): string {
  return [fg, bg && `on-${bg}`, ...decorations].filter(Boolean).join(' ');
}
