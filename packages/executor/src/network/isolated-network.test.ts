import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventually } from '../../../../test/support/eventually.ts';
import { needs } from '../../../../test/support/requirements.ts';
import { scratchDirectory } from '../../../../test/support/scratch.ts';
import { createIsolatedNetwork } from './isolated-network.ts';
import { startPasta } from './pasta.ts';

/** Returns the names of the processes that a process has started, and of theirs. */
function namesBelow(pid: number): readonly string[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    return children.flatMap((child) => [readFileSync(`/proc/${child}/comm`, 'utf8').trim(), ...namesBelow(child)]);
  } catch {
    return [];
  }
}

// First: of another test a pasta may be ending.
test('a pasta that cannot be started leaves no process', needs('root'), async () => {
  const before = namesBelow(process.pid).length;
  const { signal } = new AbortController();
  const started = startPasta({
    runDirectory: scratchDirectory('run'),
    program: '/usr/bin/pasta',
    loopbackPorts: [],
    // Above every limit of open files.
    leaveFile: 2 ** 30,
    signal,
  });
  await expect(started).rejects.toMatchObject({ code: 'EMFILE' });
  const isGone = (): boolean => namesBelow(process.pid).length === before;
  await eventually(isGone);
  expect(isGone()).toBe(true);
});

test('pasta starts while this process is busy with something else', needs('root', 'pasta'), async () => {
  const network = createIsolatedNetwork({ runDirectory: scratchDirectory('run'), loopbackPorts: [] });
  try {
    network.start();
    // Promises are settled, but no event of the outside arrives.
    for (let turns = 0; turns < 20; turns++) await Promise.resolve();
    const hasStarted = (): boolean => namesBelow(process.pid).some((name) => name.startsWith('pasta'));
    const clock = new Int32Array(new SharedArrayBuffer(4));
    for (const end = Date.now() + 60_000; Date.now() < end && !hasStarted();) Atomics.wait(clock, 0, 0, 5);
    expect(hasStarted()).toBe(true);
    await network.join();
  } finally {
    await network.close();
  }
});
