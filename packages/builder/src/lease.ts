import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from './names-in.ts';

/** Says that a build is at work on the store; giving it back is disposing. */
export type Lease = Disposable;

/** A build that is at work. */
export interface LiveLease {
  readonly pid: number;
  /** When it began, in milliseconds since the epoch: what it uses was used or made since. */
  readonly since: number;
}

/** Takes a lease for this process. One that a killed process left behind counts as none. */
export function takeLease(root: string): Lease {
  const directory = join(root, 'leases');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${process.pid}-${startOf(process.pid) ?? 0}`);
  writeFileSync(file, '');
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}

/** The builds that are at work on the store now, of this process aside; leases of dead processes are removed. */
export function liveLeases(root: string): readonly LiveLease[] {
  const live: LiveLease[] = [];
  for (const name of namesIn(join(root, 'leases'))) {
    const file = join(root, 'leases', name);
    const [pid = 0, start] = name.split('-').map(Number);
    const since = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (startOf(pid) !== start) rmSync(file, { force: true });
    else if (pid !== process.pid && since !== undefined) live.push({ pid, since });
  }
  return live;
}

/** When a process began, in clock ticks since boot: tells it from a later one with the same number. */
function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return undefined;
  }
}
