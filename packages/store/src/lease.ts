import { readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { errnoName, TbuildError } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';
import { digestOf, hexOf } from '@tbuild/oci';
import { readText } from './atomic-file.ts';
import type { StoreLayout } from './layout.ts';
import { listDirectory } from './list-directory.ts';
import { readBoot } from './sync-marker.ts';

/** Announces a build on the store until it is disposed. */
export type Lease = Disposable;

/** A running build. */
export interface LiveLease {
  /** When it began, in milliseconds since the epoch. It uses only entries that were used or made since. */
  readonly since: number;
}

/** How often a lease is renewed, and how long one is valid whose process is not visible from here. Milliseconds. */
const [RENEWAL, LIFETIME] = [60_000, 600_000];

/**
 * Acquires a lease for this process. The lease of a killed process ends by itself: at once if its process is visible from here, after
 * ten minutes if the store is shared with other containers or machines, and two minutes after a power cut ended both.
 */
export function acquireLease({ leases }: Pick<StoreLayout, 'leases'>): Lease {
  return announce(leases);
}

/** Announces that this process removes entries. Builds that begin wait until it is disposed. */
export function announceRemoval({ removals }: Pick<StoreLayout, 'removals'>): Disposable {
  return announce(removals);
}

/**
 * Waits for removals that may not have seen the lease of this process. Acquire the lease before: removals that are announced later see
 * it.
 *
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

/** Milliseconds between looks. */
const PAUSE = 10;

function announce(directory: string): Disposable {
  const file = join(directory, `${process.pid}-${startOf(process.pid) ?? 0}-${place()}`);
  writeFirst(file);
  let since: number | undefined;
  const renewal = setInterval(() => {
    const stats = statSync(file, { throwIfNoEntry: false });
    if (stats !== undefined) writeFileSync(file, String((since ??= stats.mtimeMs)));
  }, RENEWAL).unref();
  return {
    [Symbol.dispose]() {
      clearInterval(renewal);
      rmSync(file, { force: true });
    },
  };
}

/**
 * Creates the file of a lease.
 *
 * @throws TbuildError SYSTEM on a read-only file system.
 */
function writeFirst(file: string): void {
  try {
    makeDirectory(dirname(file));
    writeFileSync(file, '');
  } catch (cause) {
    if (errnoName(cause) !== 'EROFS') throw cause;
    const store = dirname(dirname(file));
    throw new TbuildError('SYSTEM', `The store ${JSON.stringify(store)} is on a read-only file system`, {
      hint: 'Name a store that you may write to, with --root DIR or TBUILD_ROOT=DIR',
      cause,
    });
  }
}

/**
 * Returns the running builds of other processes. Removes the leases of dead processes. `now` and `upFor`, the time since
 * this machine booted, are in milliseconds.
 */
export function liveLeases({ leases }: Pick<StoreLayout, 'leases'>, now: number, upFor?: number): readonly LiveLease[] {
  return liveIn(leases, now, upFor);
}

function liveIn(directory: string, now: number, upFor = uptime() * 1000): readonly LiveLease[] {
  const names = listDirectory(directory);
  if (names.length === 0) return [];
  const here = place();
  const live: LiveLease[] = [];
  for (const name of names) {
    const file = join(directory, name);
    const [pid, start, where] = name.split('-');
    const writtenAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (writtenAt === undefined || (where === here && Number(pid) === process.pid)) continue;
    const isLive = where === here ? startOf(Number(pid)) === Number(start) : isRenewed(now - writtenAt, upFor);
    // The mtime of a lease that was never renewed is the time of its acquisition.
    if (isLive) live.push({ since: Number(readText(file)) || writtenAt });
    else rmSync(file, { force: true });
  }
  return live;
}

/** A process elsewhere renews its lease all the time, and so since this machine booted, unless that was only just now. */
function isRenewed(age: number, upFor: number): boolean {
  return age < LIFETIME && (age < upFor || upFor < 2 * RENEWAL);
}

/** Identifies the processes that are visible from here: those of a PID namespace and of one boot of a machine. */
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

/** Returns when a process began, in clock ticks since boot, which tells it from a later one with the same PID. */
function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return undefined;
  }
}
