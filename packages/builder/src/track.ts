import { showWork } from '@tbuild/layers';
import type { Progress, ReportTransfer } from '@tbuild/progress';

export interface TrackOptions {
  readonly progress: Progress;
  now(): number;
  /** Distinguishes work of the same name. Defaults to the name. */
  readonly step?: string;
}

/** Shows work that is not a step of the graph (loading, exporting) as a step: planned, started, finished. */
export async function track<T>(
  { progress, now, step: id }: TrackOptions,
  name: string,
  work: (report: ReportTransfer) => Promise<T>,
): Promise<T> {
  const step = id ?? name;
  progress.emit({ type: 'planned', steps: [{ id: step, name }] });
  const transfers = new Map<string, { current: number; total?: number }>();
  const report: ReportTransfer = (item, current, total) => {
    transfers.set(item, { current, total });
    progress.emit({ type: 'transfer', step, item, current, total });
  };
  return showWork({ progress, now, step: { id: step } }, async () => {
    const result = await work(report);
    for (const [item, transfer] of transfers) progress.emit({ type: 'transfer', step, item, ...transfer, done: true });
    return result;
  });
}
