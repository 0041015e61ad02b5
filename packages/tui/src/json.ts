import type { ProgressEvent, ProgressStepId } from '@tbuild/progress';
import { withLine, type BuildView, type StepView } from './build-view.ts';

/**
 * Returns an event as one line of BuildKit's `rawjson`: an object with any of `vertexes`, `statuses`, `logs` and
 * `warnings`. Bytes are base64, times RFC 3339. `view` is the view after the event. Empty for an event that BuildKit
 * has no form for; a step that starts again is a vertex that starts again, as in BuildKit.
 */
export function jsonLine(view: BuildView, event: ProgressEvent, now: number): string {
  const status = solveStatus(view, event, now);
  return status === undefined ? '' : `${JSON.stringify(status)}\n`;
}

function solveStatus(view: BuildView, event: ProgressEvent, now: number): object | undefined {
  switch (event.type) {
    case 'waiting':
      return undefined;
    case 'planned':
      return { vertexes: event.steps.map(({ id }) => vertex(view, id)) };
    case 'started':
    case 'finished':
      return { vertexes: [vertex(view, event.step)] };
    case 'log':
      return { logs: [logEntry(event, now)] };
    case 'transfer':
      return { statuses: [status(view, event.step, event.item)] };
    case 'warning':
      return { warnings: [warning(event)] };
  }
}

function vertex(view: BuildView, id: ProgressStepId): object {
  const step: Partial<StepView> = view.steps.get(id) ?? {};
  return {
    digest: id,
    inputs: step.inputs?.length === 0 ? undefined : step.inputs,
    name: step.name,
    started: time(step.startedAt),
    completed: time(step.finishedAt),
    cached: step.state === 'cached' || undefined,
    missed: step.reason,
    error:
      step.state === 'cancelled' ? 'context canceled' : step.state === 'failed' ? (step.error ?? 'failed') : undefined,
  };
}

function status(view: BuildView, id: ProgressStepId, item: string): object {
  const transfer = view.steps.get(id)?.transfers.find((one) => one.item === item);
  return {
    id: item,
    vertex: id,
    current: transfer?.current ?? 0,
    total: transfer?.total,
    timestamp: time(transfer?.updatedAt),
    started: time(transfer?.startedAt),
    completed: transfer?.done === true ? time(transfer.updatedAt) : undefined,
  };
}

function logEntry({ step, stream, data }: Extract<ProgressEvent, { type: 'log' }>, now: number): object {
  return {
    vertex: step,
    stream: stream === 'stdout' ? 1 : 2,
    data: Buffer.from(data).toString('base64'),
    timestamp: time(now),
  };
}

function warning(event: Extract<ProgressEvent, { type: 'warning' }>): object {
  const { step, detail, url, location } = event;
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const position = (at: { line: number; column: number }): object => ({ line: at.line, character: at.column - 1 });
  return {
    vertex: step,
    level: 1,
    short: base64(withLine(event)),
    detail: detail === undefined ? undefined : [base64(detail)],
    url,
    sourceInfo: location && { filename: location.file },
    range: location && [{ start: position(location.start), end: position(location.end) }],
  };
}

function time(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString();
}
