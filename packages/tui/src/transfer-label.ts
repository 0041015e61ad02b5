import type { TransferView } from './build-view.ts';
import { formatTransferred } from './format.ts';

/** What is moved and how much of it. */
export function transferLabel(transfer: TransferView): string {
  const amount = transferAmount(transfer);
  return amount === undefined ? transferName(transfer) : `${transferName(transfer)} ${amount}`;
}

export function transferName({ item }: TransferView): string {
  return item.startsWith('transferring ') && !item.endsWith(':') ? `${item}:` : item;
}

/** `12.58MB / 104.86MB`; undefined of what is not counted. */
export function transferAmount({ current, total }: TransferView): string | undefined {
  if (total !== undefined && total > 0) return `${formatTransferred(current)} / ${formatTransferred(total)}`;
  return current > 0 ? formatTransferred(current) : undefined;
}
