import type { TransferView } from './build-view.ts';
import { formatTransferred } from './format.ts';

/** What is moved and how much of it. */
export function transferLabel({ item, current, total }: TransferView): string {
  const label = item.startsWith('transferring ') && !item.endsWith(':') ? `${item}:` : item;
  if (total !== undefined && total > 0) return `${label} ${formatTransferred(current)} / ${formatTransferred(total)}`;
  return current > 0 ? `${label} ${formatTransferred(current)}` : label;
}
