import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { relay } from './relay.ts';

const PATIENCE = 50;

function start() {
  const side = () => ({ input: new PassThrough(), output: new PassThrough() });
  const [git, server] = [side(), side()];
  return { git, server, ended: relay(git, server, PATIENCE) };
}

test('a server that says nothing is too slow', async () => {
  await expect(start().ended).rejects.toThrow('operation too slow: less than a byte a second for 0.05 seconds');
});

test('a server waits for the next question as long as git likes, and is too slow after it', async () => {
  const { git, server, ended } = start();
  server.input.write('0008NAK\n0000');
  await sleep(4 * PATIENCE);
  git.input.write('0032want');
  await expect(ended).rejects.toThrow('operation too slow');
  expect([String(git.output.read()), String(server.output.read())]).toEqual(['0008NAK\n0000', '0032want']);
});

test('a git that does not read costs the server no time', async () => {
  const { git, server, ended } = start();
  server.input.end(Buffer.alloc(100_000));
  await sleep(4 * PATIENCE);
  git.output.resume();
  await ended;
});
