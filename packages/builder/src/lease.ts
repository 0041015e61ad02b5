import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Says that a build is at work on the store; giving it back is disposing. */
export type Lease = Disposable;

/** Takes a lease for this process. One that a killed process left behind counts as none. */
export function takeLease(root: string): Lease {
  const directory = join(root, 'leases');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${process.pid}-${startOf(process.pid) ?? 0}`);
  writeFileSync(file, '');
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}

/** The processes that are building on the store now, this one aside; leases of dead ones are removed. */
export function liveLeases(root: string): readonly number[] {
  const live: number[] = [];
  for (const name of namesIn(join(root, 'leases'))) {
    const [pid = 0, start] = name.split('-').map(Number);
    if (startOf(pid) !== start) rmSync(join(root, 'leases', name), { force: true });
    else if (pid !== process.pid) live.push(pid);
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

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
