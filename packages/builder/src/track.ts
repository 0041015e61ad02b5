import { hasCode } from '@tbuild/errors';
import type { Progress } from '@tbuild/progress';

/** Reports how far a piece of work is. */
export type ReportTransfer = (item: string, current: number, total?: number) => void;

export interface TrackOptions {
  readonly progress: Progress;
  now(): number;
  /** What tells it from other work of the same name; the name unless given. */
  readonly step?: string;
}

/** Shows work that is no step of the graph (loading, exporting) as one: planned, started, finished. */
export async function track<T>(
  { progress, now, step: id }: TrackOptions,
  name: string,
  work: (report: ReportTransfer) => Promise<T>,
): Promise<T> {
  const step = id ?? name;
  progress.emit({ type: 'planned', steps: [{ id: step, name }] });
  progress.emit({ type: 'started', step, at: now() });
  const transfers = new Map<string, { current: number; total?: number }>();
  const report: ReportTransfer = (item, current, total) => {
    transfers.set(item, { current, total });
    progress.emit({ type: 'transfer', step, item, current, total });
  };
  try {
    const result = await work(report);
    for (const [item, transfer] of transfers) progress.emit({ type: 'transfer', step, item, ...transfer, done: true });
    progress.emit({ type: 'finished', step, at: now(), outcome: 'built' });
    return result;
  } catch (error) {
    const outcome = hasCode(error, 'CANCELLED') ? 'cancelled' : 'failed';
    progress.emit({
      type: 'finished',
      step,
      at: now(),
      outcome,
      error: error instanceof Error ? error.message : String(error),
    });
    throw error;
  }
}
