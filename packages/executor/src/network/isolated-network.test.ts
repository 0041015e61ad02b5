import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { needs } from '../../../../test/support/requirements.ts';
import { scratchDirectory } from '../../../../test/support/scratch.ts';
import { createIsolatedNetwork } from './isolated-network.ts';

/** Returns the names of the processes that a process has started, and of theirs. */
function namesBelow(pid: number): readonly string[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    return children.flatMap((child) => [readFileSync(`/proc/${child}/comm`, 'utf8').trim(), ...namesBelow(child)]);
  } catch {
    return [];
  }
}

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
