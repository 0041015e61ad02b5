import { readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { errnoName, TbuildError } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';
import { digestOf, hexOf } from '@tbuild/oci';
import type { StoreLayout } from './layout.ts';
import { listDirectory } from './list-directory.ts';
import { readText } from './atomic-file.ts';
import { readBoot } from './sync-marker.ts';

/** Says that a build is at work on the store; giving it back is disposing. */
export type Lease = Disposable;

/** A build that is at work. */
export interface LiveLease {
  /** When it began, in milliseconds since the epoch: what it uses was used or made since. */
  readonly since: number;
}

/** How often a lease is written again, and how long one counts whose process cannot be seen. Milliseconds. */
const [BEAT, PATIENCE] = [60_000, 600_000];

/**
 * Takes a lease for this process. One that a killed process left behind counts as none: at once where processes can be seen
 * from here, after a while where the store is shared with other containers or machines.
 */
export function acquireLease({ leases }: Pick<StoreLayout, 'leases'>): Lease {
  return announce(leases);
}

/** Says that this process removes things from the store: builds that begin wait until it is disposed. */
export function announceRemoval({ removals }: Pick<StoreLayout, 'removals'>): Disposable {
  return announce(removals);
}

/**
 * Waits until nobody removes things who may not have seen the lease that this process has taken before. A removal that is
 * announced later sees it. Most often there is nothing to wait for.
 * @throws TbuildError CANCELLED on abort.
 */
export async function afterRemovals(
  { removals }: Pick<StoreLayout, 'removals'>,
  { now, signal }: Waiting,
): Promise<void> {
  while (liveIn(removals, now()).length > 0) {
    if (signal.aborted) throw new TbuildError('CANCELLED', 'Waiting for a prune of the store was cancelled');
    await setTimeout(PAUSE);
  }
}

export interface Waiting {
  /** Milliseconds since the epoch. */
  now(): number;
  readonly signal: AbortSignal;
}

/** How long to wait before looking again. Milliseconds. */
const PAUSE = 10;

function announce(directory: string): Disposable {
  const file = join(directory, `${process.pid}-${startOf(process.pid) ?? 0}-${place()}`);
  writeFirst(file);
  let since: number | undefined;
  const beat = setInterval(() => {
    const stats = statSync(file, { throwIfNoEntry: false });
    if (stats !== undefined) writeFileSync(file, String((since ??= stats.mtimeMs)));
  }, BEAT).unref();
  return {
    [Symbol.dispose]() {
      clearInterval(beat);
      rmSync(file, { force: true });
    },
  };
}

/** @throws TbuildError USAGE on a read-only file system. */
function writeFirst(file: string): void {
  try {
    makeDirectory(dirname(file));
    writeFileSync(file, '');
  } catch (cause) {
    if (errnoName(cause) !== 'EROFS') throw cause;
    const store = dirname(dirname(file));
    throw new TbuildError('USAGE', `The store ${JSON.stringify(store)} is on a read-only file system`, {
      hint: 'Name a store that you may write to, with --root DIR or TBUILD_ROOT=DIR',
      cause,
    });
  }
}

/** The builds that are at work on the store now, of this process aside; leases of dead processes are removed. */
export function liveLeases({ leases }: Pick<StoreLayout, 'leases'>, now: number): readonly LiveLease[] {
  return liveIn(leases, now);
}

function liveIn(directory: string, now: number): readonly LiveLease[] {
  const names = listDirectory(directory);
  if (names.length === 0) return [];
  const here = place();
  const live: LiveLease[] = [];
  for (const name of names) {
    const file = join(directory, name);
    const [pid, start, where] = name.split('-');
    const writtenAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (writtenAt === undefined || (where === here && Number(pid) === process.pid)) continue;
    const isLive = where === here ? startOf(Number(pid)) === Number(start) : now - writtenAt < PATIENCE;
    // What was never written again says by its time when it was taken.
    if (isLive) live.push({ since: Number(readText(file)) || writtenAt });
    else rmSync(file, { force: true });
  }
  return live;
}

/** What of the world's processes can be seen from here: those of a namespace, of one boot of one machine. */
function place(): string {
  return hexOf(digestOf(`${readBoot()} ${namespaceOfProcesses()}`)).slice(0, 12);
}

function namespaceOfProcesses(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
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
