import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { statusOf } from '../../support/plain-progress.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, buildInline, runTbuild, writeFiles } from '../../support/tbuild.ts';

interface Mistake {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly says: readonly (string | RegExp)[];
}

const mistakes: readonly Mistake[] = [
  {
    name: 'an unknown instruction',
    files: { Dockerfile: 'FROM busybox\nCOPPY a b\n' },
    says: ['COPPY', 'COPY', 'Dockerfile:2'],
  },
  {
    name: 'an unknown flag',
    files: { Dockerfile: 'FROM busybox\nCOPY --form=x a b\n' },
    says: ['--f', 'from', 'Dockerfile:2'],
  },
  {
    name: 'a missing file',
    files: { Dockerfile: 'FROM busybox\n\nCOPY nothing.txt /\n' },
    says: ['nothing.txt', 'Dockerfile:3'],
  },
  {
    name: 'a file that .dockerignore hides',
    files: { Dockerfile: 'FROM busybox\nCOPY secret /\n', secret: 's', '.dockerignore': 'secret\n' },
    says: ['secret', 'Dockerfile:2'],
  },
  {
    name: 'a misspelt stage in --from',
    files: { Dockerfile: 'FROM busybox AS build\nFROM busybox\nCOPY --from=127.0.0.1:1/biuld /a /b\n' },
    says: ['biuld', 'Dockerfile:3'],
  },
  {
    name: 'a variable in --from',
    files: { Dockerfile: 'FROM busybox AS a\nFROM busybox\nCOPY --from=$X /a /b\n' },
    says: ['Dockerfile:3'],
  },
  { name: 'an empty Dockerfile', files: { Dockerfile: '# nothing\n' }, says: ['no instructions'] },
  { name: 'no Dockerfile', files: { other: '' }, says: ['Dockerfile'] },
  {
    name: 'an unterminated heredoc',
    files: { Dockerfile: 'FROM busybox\nRUN <<EOF\nx\n' },
    says: ['EOF', 'Dockerfile:2'],
  },
  { name: 'a bad substitution', files: { Dockerfile: 'FROM busybox\nENV A=${B\n' }, says: ['Dockerfile:2'] },
  {
    name: 'a required variable',
    files: { Dockerfile: 'FROM busybox\nENV A=${B:?must be set}\n'.replace('must be set', 'needed') },
    says: ['needed', 'Dockerfile:2'],
  },
  {
    name: 'an unknown user',
    files: { Dockerfile: 'FROM busybox\nUSER ghost\nRUN id\n' },
    says: ['ghost', 'Dockerfile:3'],
  },
  {
    name: 'a user whose number is out of range',
    files: { Dockerfile: 'FROM busybox\nUSER 99999999999\nRUN id\n' },
    says: ['99999999999 is out of range', 'Dockerfile:3'],
  },
  {
    name: 'a program that is not there',
    files: { Dockerfile: 'FROM busybox\nRUN ["/no/such/program"]\n' },
    says: ['/no/such/program', 'Dockerfile:2'],
  },
  {
    name: 'a failing command',
    files: { Dockerfile: 'FROM busybox\nRUN echo why >&2 && \\\n  exit 9\n' },
    says: ['why', 'exit code: 9', 'Dockerfile:2', '>>>'],
  },
];

describe('a mistake in the project fails with 1 and is shown where it is:', () => {
  test.concurrent.for(mistakes.map((mistake) => [mistake.name, mistake] as const))(
    '%s',
    async ([, { files, says }]) => {
      const { exitCode, stdout, stderr } = await buildInline(files);
      expect(exitCode, stderr).toBe(1);
      for (const text of says) expect(stderr).toMatch(text instanceof RegExp ? text : new RegExp(escape(text)));
      expect(stderr).not.toMatch(/^ +at \S+ \(/m);
      expect(stdout).toBe('');
    },
  );
});

describe('a mistake on the command line fails with 2:', () => {
  const context = writeFiles({ Dockerfile: 'FROM busybox\n' });
  test.concurrent.for([
    [['--no-such-flag', context], '--no-such-flag'],
    [['--progress', 'colourful', context], 'colourful'],
    [['--platform', 'linux/', context], 'linux/'],
    [['--build-context', 'nonsense', context], 'nonsense'],
    [['--jobs', 'many', context], 'many'],
    [['--iidfile', '/dev/null/id', context], 'Cannot write the file of --iidfile, "/dev/null/id"'],
    [['--metadata-file', '/tmp', context], 'Cannot write the file of --metadata-file, "/tmp": it is a directory'],
    [['--tag', 'a b', context], 'a b'],
    [[], 'CONTEXT'],
    [['--tag'], '--tag'],
  ] as const)('%s', async ([args, named]) => {
    const { exitCode, stderr } = await runTbuild(['build', ...args]);
    expect(exitCode, stderr).toBe(2);
    expect(stderr.toLowerCase()).toContain(named.toLowerCase());
  });

  test('an unknown target stage, with a suggestion', async () => {
    const build = await buildInline({ Dockerfile: 'FROM busybox AS build\n' }, { args: ['--target', 'biuld'] });
    expect([1, 2]).toContain(build.exitCode);
    expect(build.stderr).toContain('biuld');
    expect(build.stderr).toMatch(/did you mean "?build/i);
  });
});

test('a context that does not exist is named', async () => {
  const { exitCode, stderr } = await runTbuild(['build', '/no/such/context']);
  expect([1, 2]).toContain(exitCode);
  expect(stderr).toContain('/no/such/context');
});

test('steps before a failed step are reused by the next build', async () => {
  const files = (last: string) => ({
    Dockerfile: `FROM busybox AS one\nRUN echo one > /one\nFROM busybox\nCOPY --from=one /one /one\nRUN echo two > /two\nRUN ${last}\n`,
  });
  expect((await buildInline(files('false'))).exitCode).toBe(1);
  const fixed = await buildInline(files('true'));
  expect(fixed.exitCode, fixed.stderr).toBe(0);
  expect(statusOf(fixed.stderr, 'RUN echo one')).toBe('cached');
  expect(statusOf(fixed.stderr, 'RUN echo two')).toBe('cached');
});

describe('a full disk', needs('root'), () => {
  test('gives one clear message, and the next build succeeds once there is space', async () => {
    const store = join(scratchDirectory('small'), 'store');
    mkdirSync(store);
    await runChecked('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', store]);
    try {
      const context = writeFiles({
        Dockerfile: 'FROM busybox\nRUN echo small > /small\nRUN head -c 40000000 /dev/zero > /large && echo no\n',
      });
      const full = await buildContext(context, { store });
      expect(full.exitCode).toBe(1);
      // A volatile overlay may report only an I/O error to the program.
      expect(full.stderr).toMatch(
        /Free some space.*: none is left on the file system of the store|ERROR: .*no space left/i,
      );
      await runChecked('mount', ['-o', 'remount,size=300m', store]);
      const next = await buildContext(context, { store });
      expect(next.exitCode, next.stderr).toBe(0);
      expect(statusOf(next.stderr, 'RUN echo small')).toBe('cached');
    } finally {
      await runChecked('umount', ['-l', store]);
    }
  });

  test('without inodes names the store', async () => {
    const store = join(scratchDirectory('small'), 'store');
    mkdirSync(store);
    await runChecked('mount', ['-t', 'tmpfs', '-o', 'size=64m,nr_inodes=60', 'tmpfs', store]);
    try {
      const build = await buildInline({ Dockerfile: 'FROM busybox\nRUN true\n' }, { store });
      expect(build.exitCode).toBe(1);
      expect(build.stderr).toMatch(/ERROR: .*no space left/);
      expect(build.stderr).toContain(`"${store}"`);
      await runChecked('sh', ['-c', 'cd "$1" && while mkdir "$((n += 1))"; do :; done 2>/dev/null', 'sh', store]);
      const check = await runTbuild(['fsck'], { store });
      expect(check.exitCode).toBe(1);
      expect(check.stderr).toMatch(/ERROR: .*no space left/);
      expect(check.stderr).toContain(`what the store "${store}" holds`);
    } finally {
      await runChecked('umount', ['-l', store]);
    }
  });

  test('during a COPY gives one clear message', async () => {
    const store = join(scratchDirectory('small'), 'store');
    mkdirSync(store);
    await runChecked('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', store]);
    try {
      const build = await buildContext(
        writeFiles({ Dockerfile: 'FROM busybox\nCOPY big /\n', big: 'x'.repeat(40_000_000) }),
        { store },
      );
      expect(build.exitCode).toBe(1);
      expect(build.stderr).toMatch(/no space left/i);
      expect(build.stderr).not.toMatch(/^ +at \S+ \(/m);
    } finally {
      await runChecked('umount', ['-l', store]);
    }
  });
});

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
