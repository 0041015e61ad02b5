import { expect, test } from 'vitest';
import { buildInline, runTbuild, writeFiles } from '../../support/tbuild.ts';

/** A title, a colour, a cleared screen, an overwritten line, a command of GitHub's log and a reversed text. */
const EVIL = '\x1b]0;title\x07\x1b[31m\x1b[2J\x9b31m\r::error::x\r\u202e';

/** What changes a terminal or begins a line. */
// oxlint-disable-next-line no-control-regex -- the test is about them
const CHANGES = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]/;

const files = {
  Dockerfile: `FROM busybox
WORKDIR "/${EVIL.replaceAll('\r', '')}"
RUN mkdir "/d${EVIL}"; touch "/d${EVIL}/x"
`,
};

test.each(['plain', 'quiet'])('a Dockerfile cannot change the terminal, with --progress %s', async (progress) => {
  const good = await buildInline(files, { args: ['--progress', progress] });
  expect(good).toMatchObject({ exitCode: 0, stderr: expect.not.stringMatching(CHANGES) });
  const bad = await buildInline(
    { Dockerfile: `${files.Dockerfile}LABEL "${EVIL}\nUNKNOWN ${EVIL}\n` },
    { args: ['--progress', progress] },
  );
  expect(bad).toMatchObject({ exitCode: 1, stderr: expect.not.stringMatching(CHANGES) });
});

test('no command that shows an image or a build lets it change the terminal', async () => {
  const context = writeFiles(files);
  const { exitCode, store } = await buildInline(files, { args: ['--tag', 'evil'] });
  expect(exitCode).toBe(0);
  const commands = [
    ['history', '--no-trunc', 'evil'],
    ['diff', 'evil'],
    ['du', '--verbose'],
    ['explain', `${context}/Dockerfile`],
    ['lint', `${context}/Dockerfile`],
    ['builds', 'show'],
    ['builds', 'logs'],
  ];
  for (const command of commands) {
    const { stdout, stderr } = await runTbuild(command, { store });
    expect([command, CHANGES.exec(stdout + stderr)]).toEqual([command, null]);
    expect(stdout + stderr).toContain('�');
  }
});
