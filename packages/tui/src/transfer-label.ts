import type { TransferView } from './build-view.ts';
import { formatRemaining, formatTransferred } from './format.ts';

/** Returns the name and amount of a transfer. */
export function transferLabel(transfer: TransferView): string {
  const amount = transferAmount(transfer);
  return amount === undefined ? transferName(transfer) : `${transferName(transfer)} ${amount}`;
}

export function transferName({ item }: TransferView): string {
  return item.startsWith('transferring ') && !item.endsWith(':') ? `${item}:` : item;
}

/** Formats `12.58MB / 104.86MB`; undefined for a transfer without a count. */
export function transferAmount({ current, total }: TransferView): string | undefined {
  if (total !== undefined && total > 0) return `${formatTransferred(current)} / ${formatTransferred(total)}`;
  return current > 0 ? formatTransferred(current) : undefined;
}

/** Returns the recent bytes per second; undefined while that is unknown. */
export function transferRate(
  { recent, current, done, startedAt, updatedAt }: TransferView,
  now: number,
): number | undefined {
  const first = recent[0];
  if (done || first === undefined || updatedAt - startedAt < LEAST_RATED) return undefined;
  return (Math.max(0, current - first.current) / (now - first.at)) * 1000;
}

/** A shorter time gives no meaningful rate. */
const LEAST_RATED = 500;

/**
 * Returns descriptions of a transfer, the longest first: `[===>      ] 12.58MB / 104.86MB 9.98MB/s 10s left`, then
 * shorter ones for narrow screens.
 */
export function transferStatuses(transfer: TransferView, now: number): readonly string[] {
  const amount = transferAmount(transfer);
  if (amount === undefined) return [];
  const { current, total, done } = transfer;
  const rate = transferRate(transfer, now);
  const speed = rate === undefined ? [] : [`${formatTransferred(Math.round(rate))}/s`];
  const isCounted = total !== undefined && total > 0 && !done;
  const left = rate !== undefined && rate > 0 && isCounted ? [`${formatRemaining((total - current) / rate)} left`] : [];
  const bar = isCounted ? [barOf(current / total)] : [];
  const words = [[...bar, amount, ...speed, ...left], [amount, ...speed, ...left], [amount, ...speed], [amount]];
  return [...words.map((each) => each.join(' ')), ...(isCounted ? [`${Math.floor((100 * current) / total)}%`] : [])];
}

const BAR = 10;

function barOf(share: number): string {
  const filled = Math.min(BAR, Math.floor(share * BAR));
  return `[${'='.repeat(filled)}${filled < BAR ? '>' : ''}${' '.repeat(Math.max(0, BAR - filled - 1))}]`;
}
