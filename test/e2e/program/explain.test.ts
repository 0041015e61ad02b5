import { expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const Dockerfile = `FROM busybox
ARG WHO=me
COPY . /src
RUN --mount=type=secret,id=token head -c 3000000 /dev/zero > /big
RUN [ ! -e /src/fail ]
`;

test('explain tells what lines cost in recorded builds, what runs them again, and only for unchanged lines', async () => {
  const [store, cwd] = [scratchDirectory('store'), writeFiles({ Dockerfile, 'a.txt': 'four' })];
  const explain = async (...args: string[]) => good(await runTbuild(['explain', ...args], { cwd, store })).stdout;
  expect(await explain('.')).toContain('no build of this context is recorded');

  const build = [...baseImageArguments(), '--tag', 'app:1', '.'];
  good(await runTbuild(build, { cwd, store }));
  // Its times are those of the build before, where the steps ran.
  good(await runTbuild(build, { cwd, store }));
  const document = JSON.parse(await explain('--format', 'json', 'Dockerfile'));
  expect(document).toMatchObject({ dockerfile: 'Dockerfile', build: { id: expect.any(String) } });
  expect(document.lines).toMatchObject([
    { line: 1, inputs: [{ kind: 'image', name: 'busybox', isPinned: false }] },
    { line: 2, inputs: [] },
    { line: 3, milliseconds: expect.any(Number), inputs: [{ kind: 'files', count: 2, bytes: Dockerfile.length + 4 }] },
    {
      line: 4,
      bytes: 3_000_000,
      milliseconds: expect.any(Number),
      inputs: [
        { kind: 'argument', name: 'WHO' },
        { kind: 'secret', id: 'token' },
      ],
    },
    { line: 5, milliseconds: expect.any(Number) },
  ]);

  const edited = writeFiles({ Dockerfile: Dockerfile.replace('RUN [', 'RUN true && ['), 'a.txt': 'four' }, cwd);
  expect(edited).toBe(cwd);
  const text = await explain('.');
  expect(text).toMatch(/^ {4}4 +\d+\.\ds +3MB {2}RUN --mount/m);
  expect(text).toMatch(/^ {4}5 +RUN true/m);
  expect(text).toMatch(
    / {2}runs again with: another value of WHO\n +does not run again with: another value of secret token\n/,
  );
  expect(text.split('\n').every((line) => [...line].length <= 80)).toBe(true);
});

test('explain shows where a Dockerfile cannot be parsed', async () => {
  const cwd = writeFiles({ Dockerfile: 'FROM busybox\nRUNN true\n' });
  const { exitCode, stderr } = await runTbuild(['explain', '.'], { cwd, store: scratchDirectory('store') });
  expect(exitCode).toBe(1);
  expect(stderr).toContain('Dockerfile:2:1');
  expect(stderr).toContain('   2 | >>> RUNN true\n     |     ^^^^\n');
});

test('explain with a word that is neither a path nor a check is a mistake', async () => {
  const { exitCode, stderr } = await runTbuild(['explain', 'UndefinedVra'], { cwd: scratchDirectory('empty') });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('Did you mean UndefinedVar?');
});
