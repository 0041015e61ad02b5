import type { JSX } from 'preact';
import { formatTime } from '../format.ts';
import type { BuildFacts } from '../report-data.ts';
import { hrefOf } from './place.ts';
import { savings, timeOf } from './step-times.ts';

/** Lists the steps that ran: why, and what it cost. */
export function WhyView({ build }: { readonly build: BuildFacts }): JSX.Element {
  const saved = savings(build);
  const ran = build.steps
    .map((step, index) => ({ step, index }))
    .filter(({ step }) => step.reason !== undefined || step.outcome === 'failed');
  if (ran.length === 0) return <p>Every step was cached.</p>;
  return (
    <table>
      <caption>Steps that ran, and what changed since they ran before</caption>
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col">Because</th>
          <th scope="col" class="number">
            Time
          </th>
          <th scope="col" class="number">
            A cache hit saves
          </th>
        </tr>
      </thead>
      <tbody>
        {ran.map(({ step, index }) => (
          <tr key={step.id}>
            <th scope="row">
              <a href={hrefOf({ view: 'timeline', step: index })}>{step.name}</a>
            </th>
            <td>
              {step.changes === undefined ? (
                (step.reason ?? 'it failed')
              ) : (
                <Changes reason={step.reason} changes={step.changes} />
              )}
            </td>
            <td class="number">{formatTime(timeOf(step))}</td>
            <td class="number">{formatTime(saved.get(step.id) ?? 0)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Shows the reason, and all changes on request. */
function Changes({ reason, changes }: { readonly reason?: string; readonly changes: readonly string[] }): JSX.Element {
  return (
    <details>
      <summary>{reason}</summary>
      <ul>
        {changes.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </details>
  );
}
