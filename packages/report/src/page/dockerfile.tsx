import type { JSX } from 'preact';
import { formatBytes, formatTime } from '../format.ts';
import type { BuildFacts, StepFacts, WarningFacts } from '../report-data.ts';
import { hrefOf } from './place.ts';
import { timeOf } from './step-times.ts';

/** Shows the Dockerfiles with time and size beside each instruction, and warnings where they belong. */
export function DockerfileView({ build }: { readonly build: BuildFacts }): JSX.Element {
  const elsewhere = build.warnings.filter(
    ({ location }) => location === undefined || !build.files.some(({ name }) => name === location.file),
  );
  return (
    <section>
      {elsewhere.map((warning, at) => (
        <Warning key={at} warning={warning} />
      ))}
      {build.files.map(({ name, text }) => (
        <File key={name} name={name} text={text} build={build} />
      ))}
    </section>
  );
}

interface FileProps {
  readonly name: string;
  readonly text: string;
  readonly build: BuildFacts;
}

function File({ name, text, build }: FileProps): JSX.Element {
  const steps = build.steps.map((step, index) => ({ step, index })).filter(({ step }) => step.location?.file === name);
  const longest = Math.max(1, ...steps.map(({ step }) => timeOf(step)));
  return (
    <div class="wide" tabIndex={0} role="group" aria-label={name}>
      <table class="source">
        <caption>{name}</caption>
        <thead class="hidden">
          <tr>
            <th scope="col">Line</th>
            <th scope="col">Time</th>
            <th scope="col">Size</th>
            <th scope="col">Text</th>
          </tr>
        </thead>
        <tbody>
          {text
            .replace(/\n$/, '')
            .split('\n')
            .map((line, at) => {
              const here = steps.filter(({ step }) => step.location?.start.line === at + 1);
              const warnings = build.warnings.filter(
                ({ location }) => location?.file === name && location.end.line === at + 1,
              );
              return (
                <tr key={at}>
                  <th scope="row">{at + 1}</th>
                  <td class="number">{here.length > 0 && <Cost steps={here} longest={longest} />}</td>
                  <td class="number">{sizeOf(here.map(({ step }) => step))}</td>
                  <td>
                    <code>{line || ' '}</code>
                    {warnings.map((warning, position) => (
                      <Warning key={position} warning={warning} />
                    ))}
                  </td>
                </tr>
              );
            })}
        </tbody>
      </table>
    </div>
  );
}

interface CostProps {
  readonly steps: readonly { readonly step: StepFacts; readonly index: number }[];
  readonly longest: number;
}

function Cost({ steps, longest }: CostProps): JSX.Element | null {
  const [first] = steps;
  const time = steps.reduce((sum, { step }) => sum + timeOf(step), 0);
  if (first === undefined) return null;
  const isCached = steps.every(({ step }) => step.outcome === 'cached');
  return (
    <a href={hrefOf({ view: 'timeline', step: first.index })} class="cost">
      {isCached ? 'cached' : formatTime(time)}
      <i style={{ width: `${isCached ? 0 : (Math.min(time, longest) / longest) * 100}%` }} />
    </a>
  );
}

function sizeOf(steps: readonly StepFacts[]): string {
  const sizes = steps.flatMap(({ bytes }) => bytes ?? []);
  return sizes.length === 0 ? '' : formatBytes(sizes.reduce((sum, bytes) => sum + bytes, 0));
}

function Warning({ warning: { message, detail, url } }: { readonly warning: WarningFacts }): JSX.Element {
  return (
    <p class="warning">
      {message} {detail !== undefined && <small>{detail}</small>} {url !== undefined && <small>{url}</small>}
    </p>
  );
}
