import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { createChannel } from '@tbuild/progress';
import { expect, test } from 'vitest';
import { display, type DisplayMode } from './display.ts';

/** Shows a build of one step that ends once `until` was written, and gives all that was written. */
async function shown(mode: DisplayMode, until = ''): Promise<string> {
  const out = Object.assign(new PassThrough(), { columns: 40, rows: 20 });
  let written = '';
  out.on('data', (chunk: Buffer) => (written += chunk.toString()));
  const channel = createChannel();
  const done = display(channel, out, { mode, now: Date.now, color: false });
  channel.emit({ type: 'planned', steps: [{ id: 'a', name: '[1/1] RUN x' }] });
  const at = Date.now();
  channel.emit({ type: 'started', step: 'a', at });
  channel.emit({ type: 'log', step: 'a', stream: 'stdout', data: Buffer.from('hello\n') });
  while (!written.includes(until)) await sleep(10);
  channel.emit({ type: 'finished', step: 'a', at: at + 40, outcome: 'built' });
  channel.close();
  await done;
  out.end();
  await finished(out);
  return written;
}

test('the plain display prints lines', async () => {
  expect((await shown('plain')).replace(/0\.0\d\d/, '0.000')).toBe('#1 [1/1] RUN x\n#1 0.000 hello\n#1 DONE 0.0s\n');
});

test('the quiet display prints nothing', async () => {
  expect(await shown('quiet')).toBe('');
});

test('a short build leaves its summary, without cursor movement', async () => {
  expect(await shown('tty')).toBe('[+] Building 0.0s (1/1) FINISHED\n => [1/1] RUN x                    0.0s\n');
});

test('a longer build is drawn while it runs, and its last state stays', async () => {
  const text = await shown('tty', ' => => # hello');
  expect(stripVTControlCharacters(text).trimEnd()).toMatch(/\(1\/1\) FINISHED$/);
});
