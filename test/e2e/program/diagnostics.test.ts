import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { buildInline, runTbuild, writeFiles } from '../../support/tbuild.ts';

interface Slip {
  readonly text: string;
  readonly place: string;
  readonly underlined: string;
  readonly suggestion: string;
}

const slips: readonly Slip[] = [
  { text: 'FROM busybox\nRNU x\n', place: '2:1', underlined: 'RNU', suggestion: '(did you mean RUN?)' },
  {
    text: 'FROM busybox\nCOPY --form=x \\\n  a /\n',
    place: '2:6',
    underlined: '--form=x',
    suggestion: '(did you mean from?)',
  },
  {
    text: 'FROM busybox\nRUN --netwrok=none x\n',
    place: '2:5',
    underlined: '--netwrok=none',
    suggestion: '(did you mean network?)',
  },
  {
    text: 'FROM busybox\nRUN --mount=type=cahce,target=/x x\n',
    place: '2:13',
    underlined: 'type=cahce',
    suggestion: '(did you mean cache?)',
  },
  {
    text: 'FROM busybox\nRUN --mount=type=cache,taget=/x x\n',
    place: '2:24',
    underlined: 'taget=/x',
    suggestion: '(did you mean target?)',
  },
  {
    text: 'FROM busybox AS build\nFROM 127.0.0.1:1/x AS y\nFROM busybox\nCOPY --from=biuld a /\n',
    place: '4:13',
    underlined: 'biuld',
    suggestion: 'hint: Did you mean "build"?',
  },
  {
    text: 'FROM busybox AS build\nFROM biuld\n',
    place: '2:6',
    underlined: 'biuld',
    suggestion: 'hint: Did you mean "build"?',
  },
  { text: 'ARG TAG=1\nFROM $TAGS\n', place: '2:6', underlined: '$TAGS', suggestion: 'hint: Did you mean "TAG"?' },
  {
    text: 'FROM --platform=$TARGETPLATFROM busybox\n',
    place: '1:17',
    underlined: '$TARGETPLATFROM',
    suggestion: 'hint: Did you mean "TARGETPLATFORM"?',
  },
  {
    text: 'FROM busybox\nARG MODE=1\nENV A=${MDOE:?needed}\n',
    place: '3:7',
    underlined: '${MDOE:?needed}',
    suggestion: 'hint: Did you mean $MODE?',
  },
];

describe('a misspelling is underlined, with a suggestion:', () => {
  test.concurrent.for(slips.map((slip) => [slip.underlined, slip] as const))(
    '%s',
    async ([, { text, place, underlined, suggestion }]) => {
      // A name that is no stage is looked up in a registry that does not exist.
      const env = { https_proxy: 'http://127.0.0.1:1', http_proxy: 'http://127.0.0.1:1' };
      const { exitCode, stderr } = await buildInline({ Dockerfile: text }, { env });
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`Dockerfile:${place}\n`);
      const [line = 1, column = 1] = place.split(':').map(Number);
      const row = text.split('\n')[line - 1] ?? '';
      expect(stderr).toContain(
        `${line} | >>> ${row}\n     |     ${' '.repeat(column - 1)}${'^'.repeat(underlined.length)}\n`,
      );
      expect(row.slice(column - 1)).toMatch(new RegExp(`^${underlined.replace(/[$\\{}?]/g, '\\$&')}`));
      expect(stderr).toContain(suggestion);
    },
  );

  test('a missing source among others', async () => {
    const { stderr } = await buildInline({
      Dockerfile: 'FROM busybox\nCOPY a.txt \\\n  ./b.text /\n',
      'a.txt': '',
      'b.txt': '',
    });
    expect(stderr).toContain('   3 | >>>   ./b.text /\n     |       ^^^^^^^^\n');
    expect(stderr).toContain('hint: Did you mean "b.txt"?');
  });

  test('a misspelt target', async () => {
    const { stderr } = await buildInline({ Dockerfile: 'FROM busybox AS build\n' }, { args: ['--target', 'biuld'] });
    expect(stderr).toContain('hint: Did you mean "build"?');
  });

  test('a misspelt Dockerfile, beside the one that was asked for and not in the current directory', async () => {
    const cwd = writeFiles({ Dockerfile: 'FROM scratch\n' });
    const context = writeFiles({ Dokcerfile: 'FROM scratch\n', 'Dockerfile/x': '' });
    const named = await runTbuild(['-f', join(context, 'dockrfile'), context], { cwd });
    expect(named.stderr).toContain(`hint: Did you mean "${context}/Dokcerfile"?`);
    const other = writeFiles({ 'deploy.yaml': '' });
    expect((await runTbuild([other], { cwd })).stderr).toContain('hint: Pass the file with -f FILE');
  });
});
