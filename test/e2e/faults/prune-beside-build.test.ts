import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { processesNaming } from '../../support/leftovers.ts';
import { program } from '../../support/program.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { buildGood, good, runTbuild } from '../../support/tbuild.ts';

/** Fills a store with a base image and no named image. */
async function filledStore(): Promise<{ readonly store: string; readonly base: string; readonly note: string }> {
  const store = scratchDirectory('store');
  const base = await pushBaseImage('busybox', await sharedService('registry'));
  const args = ['-o', 'type=cacheonly'];
  await buildGood({ Dockerfile: `FROM ${base}\nRUN echo before > /before\n` }, { store, images: [], args });
  const [name = ''] = readdirSync(join(store, 'resolved'));
  return { store, base, note: join(store, 'resolved', name) };
}

/** Prunes everything, and pauses at the system call that removes one file of the store. */
function pruneSlowly(store: string, path: string, when: 'enter' | 'exit'): Promise<string> {
  const calls = '?rename,?renameat,?renameat2,?unlink,?unlinkat';
  const trace = ['-f', '-qq', '-o', '/dev/null', '-P', path, '-e', `trace=${calls}`];
  const pause = ['-e', `inject=${calls}:delay_${when}=3000000:when=1`];
  return runChecked('strace', [...trace, ...pause, program, '--root', store, 'prune', '--all', '--force'], {
    env: { HOME: scratchDirectory('home') },
  });
}

async function untilTrue(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1200 && !isSo(); tries++) await sleep(25);
  expect(isSo()).toBe(true);
}

/** Waits until a paused prune has renamed the file, and kills it. */
async function killOnceGone(path: string, store: string, pruning: Promise<string>): Promise<void> {
  const end = expect(pruning).rejects.toThrow();
  await untilTrue(() => !existsSync(path));
  for (const pid of processesNaming(store)) process.kill(pid, 'SIGKILL');
  await end;
}

describe('prune --all', needs('root', 'registry', 'strace'), () => {
  test('removes nothing from a build that starts while it deletes', async () => {
    const { store, base, note } = await filledStore();
    const pruning = pruneSlowly(store, note, 'exit');
    await untilTrue(() => !existsSync(note));
    const files = { Dockerfile: `FROM ${base}\nRUN sleep 4; echo after > /after\n` };
    const build = await buildGood(files, { store, images: [] });
    expect(build.tree().readText('/after')).toBe('after\n');
    await pruning;
    good(await runTbuild(['save', '-o', join(scratchDirectory('saved'), 'a.tar'), build.id()], { store }));
  });

  test('removes what a killed one was about to remove', async () => {
    const { store } = await filledStore();
    const blobs = join(store, 'blobs/sha256');
    const [name = ''] = readdirSync(blobs);
    await killOnceGone(join(blobs, name), store, pruneSlowly(store, join(blobs, name), 'exit'));
    good(await runTbuild(['prune', '--all', '--force'], { store }));
    expect([readdirSync(blobs), readdirSync(join(store, 'tmp'))]).toEqual([[], []]);
  });

  test('removes nothing that a build that has just started finds in the meantime', async () => {
    const { store, base, note } = await filledStore();
    const args = ['--root', store, '--progress', 'plain', '-t', 'app:1', '-f', '-', scratchDirectory('context')];
    const building = spawn(program, args, { env: { ...process.env, HOME: scratchDirectory('home') } });
    let said = '';
    building.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = once(building, 'close');
    await untilTrue(() => existsSync(join(store, 'leases')) && readdirSync(join(store, 'leases')).length > 0);
    const { manifest } = JSON.parse(readFileSync(note, 'utf8'));
    const blob = join(store, 'blobs/sha256', String(manifest).replace('sha256:', ''));
    const pruning = pruneSlowly(store, blob, 'enter');
    await untilTrue(() => !existsSync(note));
    // By now prune has found the blob unused and is about to remove it.
    await sleep(500);
    building.stdin.end(`FROM ${base}\nRUN sleep 4; echo after > /after\n`);
    const [code] = await ended;
    expect(code, said).toBe(0);
    await pruning;
    good(await runTbuild(['save', '-o', join(scratchDirectory('saved'), 'a.tar'), 'app:1'], { store }));
  });
});
