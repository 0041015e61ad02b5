import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { storeLayout } from './layout.ts';
import { acquireLease, afterRemovals, announceRemoval, liveLeases } from './lease.ts';

const root = mkdtempSync(join(tmpdir(), 'lease-'));
const store = storeLayout(root);
const { leases } = store;
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => rmSync(leases, { recursive: true, force: true }));

/** The name that a process of this machine gives its lease. */
function nameHere(): readonly [pid: string, start: string, place: string] {
  using _lease = acquireLease(store);
  const [pid = '', start = '', place = ''] = readdirSync(leases)[0]?.split('-') ?? [];
  return [pid, start, place];
}

test('liveLeases leaves out the lease of this process, and disposing removes it', () => {
  {
    using _lease = acquireLease(store);
    expect(readdirSync(leases)).toHaveLength(1);
    expect(liveLeases(store, Date.now())).toEqual([]);
  }
  expect(readdirSync(leases)).toEqual([]);
});

test('a lease ends with its process, even if another process gets the same PID', async () => {
  const [, start, place] = nameHere();
  const child = spawn('sleep', ['60']);
  await new Promise((resolve) => child.once('spawn', resolve));
  writeFileSync(join(leases, `${child.pid}-${start}-${place}`), '');
  writeFileSync(join(leases, `1-${start}-${place}`), '');
  expect(liveLeases(store, Date.now())).toEqual([]);
  expect(readdirSync(leases)).toEqual([]);
  child.kill();
});

test('a lease that was not renewed since the machine booted ends two minutes after that', () => {
  nameHere();
  const lease = join(leases, '7-1-abc');
  writeFileSync(lease, '');
  const written = statSync(lease).mtimeMs;
  const liveAfterBoot = (upFor: number) => liveLeases(store, written + 60_000 + upFor, upFor).length;
  expect(liveAfterBoot(110_000)).toBe(1);
  expect(liveAfterBoot(130_000)).toBe(0);
});

test('a lease of a process that is not visible from here is valid while it is renewed', () => {
  nameHere();
  const [fresh, beating, dead] = ['7-1-abc', '8-1-abc', '9-1-abc'].map((name) => join(leases, name));
  const now = Date.now();
  const minutes = (count: number): Date => new Date(now - count * 60_000);
  for (const [file = '', text, at] of [
    [fresh, '', minutes(5)],
    [beating, String(now - 3_600_000), minutes(1)],
    [dead, '', minutes(11)],
  ] as const) {
    writeFileSync(file, text);
    utimesSync(file, at, at);
  }
  expect(
    liveLeases(store, now, Infinity)
      .map(({ since }) => Math.round(since))
      .toSorted(),
  ).toEqual([now - 3_600_000, minutes(5).getTime()]);
  expect(readdirSync(leases).toSorted()).toEqual(['7-1-abc', '8-1-abc']);
});

test('afterRemovals waits while another process removes entries, and only while that process lives', async () => {
  const { removals } = store;
  const waiting = { now: () => Date.now(), signal: new AbortController().signal };
  {
    using _removal = announceRemoval(store);
    expect(readdirSync(removals)).toHaveLength(1);
    // What this process removes it knows of.
    await afterRemovals(store, waiting);
  }
  expect(readdirSync(removals)).toEqual([]);
  const [, , place] = nameHere();
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
  writeFileSync(join(removals, `${child.pid}-${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}-${place}`), '');
  let isOver = false;
  const waited = afterRemovals(store, waiting).then(() => (isOver = true));
  await expect(afterRemovals(store, { ...waiting, signal: AbortSignal.abort() })).rejects.toThrow('cancelled');
  expect(isOver).toBe(false);
  child.kill();
  await waited;
  expect(readdirSync(removals)).toEqual([]);
});
