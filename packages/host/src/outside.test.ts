import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { createOutside } from './index.ts';

// In the launcher's user namespace there is a descriptor; elsewhere programs are started directly.
const { TBUILD_OUTSIDE_FD } = process.env;
const outside = createOutside({
  descriptor: TBUILD_OUTSIDE_FD === undefined ? undefined : Number(TBUILD_OUTSIDE_FD),
  directory: tmpdir(),
});

test('a program gets its arguments and input, and its outputs and exit code are returned', async () => {
  const input = Buffer.from('input\n');
  const ran = await outside.run(['sh', '-c', 'pwd; echo "$1"; cat; echo err >&2; exit 3', 'sh', "it's a $(test)"], {
    cwd: '/usr',
    input,
  });
  expect({ ...ran, stdout: String(ran.stdout), stderr: String(ran.stderr) }).toEqual({
    exitCode: 3,
    stdout: "/usr\nit's a $(test)\ninput\n",
    stderr: 'err\n',
  });
});

test('a program that does not read all of its input does not fail', async () => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (let count = 0; count < 64; count++) yield Buffer.alloc(1 << 20, 'a');
  }
  const ran = await outside.run(['head', '-c', '5'], { cwd: '/', input: endless() });
  expect(String(ran.stdout)).toBe('aaaaa');
});

test('a program that does not exist is NOT_FOUND', async () => {
  await expect(outside.run(['no-such-program'], { cwd: '/' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('an abort ends the program', async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 50);
  await expect(outside.run(['sleep', '30'], { cwd: '/', signal: controller.signal })).rejects.toMatchObject({
    code: 'CANCELLED',
  });
});

test('an abort ends the wait for output that a program left to another one', async () => {
  const controller = new AbortController();
  const output = (): void => void setTimeout(() => controller.abort(), 200);
  await expect(
    outside.run(['sh', '-c', 'sleep 5 & echo started'], { cwd: '/', signal: controller.signal, output }),
  ).rejects.toMatchObject({ code: 'CANCELLED' });
});
