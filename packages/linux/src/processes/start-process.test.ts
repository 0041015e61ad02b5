import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { constants } from 'node:os';
import { afterAll, expect, test } from 'vitest';
import { openPipe, type ProcessEnd, startProcess } from '../index.ts';

const nothing = openSync('/dev/null', 'r+');
afterAll(() => closeSync(nothing));

/** Runs a shell script to its end, with additional descriptors from 3 on. */
async function run(
  script: string,
  { env = {}, more = [] }: { env?: Record<string, string>; more?: readonly number[] } = {},
): Promise<{ output: string; end: ProcessEnd }> {
  const { reader, writer } = openPipe();
  const child = startProcess('/bin/sh', ['-c', script], { env, descriptors: [nothing, writer, writer, ...more] });
  closeSync(writer);
  const output = readFileSync(reader, 'utf8');
  closeSync(reader);
  return { output, end: await child.ended() };
}

test('startProcess passes the given arguments and environment and no other variables', async () => {
  const child = await run('echo "$0 $#"; export -p', { env: { PATH: '/bin', LINE: 'a\nb', ÜBER: 'ß' } });
  expect(child.output).toContain("export LINE='a\nb'");
  expect(child.output).not.toContain('HOME');
  const names = await run('tr "\\0" "\\n" < /proc/self/environ', { env: { PATH: '/bin:/usr/bin', ÜBER: 'ß' } });
  expect(
    names.output
      .split('\n')
      .filter((line) => !line.startsWith('PWD'))
      .sort(),
  ).toEqual(['', 'PATH=/bin:/usr/bin', 'ÜBER=ß'].sort());
});

test.each<[script: string, end: Partial<ProcessEnd>]>([
  ['exit 0', { code: 0 }],
  ['exit 200', { code: 200 }],
  ['kill -9 $$', { signal: constants.signals.SIGKILL }],
  ['kill -15 $$', { signal: constants.signals.SIGTERM }],
])('startProcess reports how the process ended: %s', async (script, end) => {
  const ended = (await run(script)).end;
  expect(ended).toEqual({ ...end, peakMemory: expect.any(Number) });
});

test('startProcess reports the peak memory of the largest process below the one it started', async () => {
  const own = process.resourceUsage().maxRSS * 1024;
  const { end } = await run(`head -c ${own + (64 << 20)} /dev/zero | tail -c ${own + (64 << 20)} | wc -c`, {
    env: { PATH: '/bin:/usr/bin' },
  });
  expect(end.peakMemory - own).toBeGreaterThan(60 << 20);
  expect(end.peakMemory - own).toBeLessThan(90 << 20);
});

test('startProcess passes the given descriptors in any order of their numbers, and none besides', async () => {
  const pipes = [openPipe(), openPipe(), openPipe()];
  const more = pipes.map(({ writer }) => writer).toReversed();
  const { output } = await run('for fd in 5 4 3; do echo $fd >&$fd; done; ls /proc/self/fd', {
    env: { PATH: '/bin:/usr/bin' },
    more,
  });
  const read = pipes.map(({ reader }) => {
    const buffer = Buffer.alloc(10);
    return buffer.toString('utf8', 0, readSync(reader, buffer));
  });
  for (const { reader, writer } of pipes) [reader, writer].forEach((fd) => closeSync(fd));
  expect(read).toEqual(['5\n', '4\n', '3\n']);
  expect(output.split('\n')).toEqual(expect.arrayContaining(['0', '1', '2', '3', '4', '5']));
  const own = pipes.flatMap(({ reader, writer }) => [reader, writer]).map(String);
  expect(output.split('\n').filter((fd) => own.includes(fd))).toEqual([]);
});

test('startProcess starts a new session with no signal ignored or blocked', async () => {
  const { output } = await run('cut -d" " -f1,6 /proc/self/stat; grep -E "Sig(Blk|Ign)" /proc/self/status', {
    env: { PATH: '/bin:/usr/bin' },
  });
  const [, blocked, ignored] = output.split('\n');
  expect([blocked, ignored]).toEqual([`SigBlk:\t${'0'.repeat(16)}`, `SigIgn:\t${'0'.repeat(16)}`]);
  const session = Number(output.split('\n')[0]?.split(' ')[1]);
  expect(session).not.toBe(Number(readFileSync('/proc/self/stat', 'utf8').split(' ')[5]));
});

test('startProcess reports each of many processes that end at once', async () => {
  const ends = await Promise.all(Array.from({ length: 50 }, (_, at) => run(`exit ${at}`)));
  expect(ends.map(({ end }) => end.code)).toEqual(ends.map((_, at) => at));
});

test("startProcess throws errors like Node's when a program cannot be started", () => {
  const start = (path: string) => () => startProcess(path, [], { env: {}, descriptors: [nothing, nothing, nothing] });
  expect(start('/nothing')).toThrow(expect.objectContaining({ code: 'ENOENT', path: '/nothing' }));
  expect(start('/etc/passwd')).toThrow(expect.objectContaining({ code: 'EACCES' }));
});

test('startProcess throws EMFILE when the limit of open files leaves no number for a descriptor', () => {
  expect(() => startProcess('/bin/true', [], { env: {}, descriptors: [2 ** 30] })).toThrow(
    expect.objectContaining({ code: 'EMFILE', path: '/bin/true' }),
  );
  expect(() => startProcess('/bin/true', [], { env: {}, descriptors: [2 ** 30], title: 'a program' })).toThrow(
    expect.objectContaining({ path: 'a program' }),
  );
});
