import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { program } from '../../support/program.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked, runProcess, type ProcessResult } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildInline, good, writeFiles } from '../../support/tbuild.ts';

/** A user that no file gives subordinate ids. */
const [UID, GID] = [65534, 65534];

function homeOfNobody(): string {
  const home = scratchDirectory('nobody');
  chownSync(home, UID, GID);
  return home;
}

/** Builds as that user. */
function build(context: string, args: readonly string[] = [], home = homeOfNobody()): Promise<ProcessResult> {
  const user = ['--reuid', String(UID), '--regid', String(GID), '--clear-groups'];
  const images = baseImageArguments(['busybox', 'debian']);
  const env = { HOME: home, TBUILD_ROOT: join(home, 'store'), TBUILD_MIN_FREE_SPACE: '0' };
  const words = ['build', '--progress', 'plain', ...images, ...args, context];
  return runProcess('setpriv', [...user, program, ...words], { env });
}

/** A context with a package that has files of another user, and makes a user. */
async function contextWithPackage(dockerfile: string): Promise<string> {
  const context = writeFiles({ Dockerfile: dockerfile });
  const tree = join(scratchDirectory('package'), 'tree');
  for (const name of ['DEBIAN', 'srv/owned']) mkdirSync(join(tree, name), { recursive: true });
  writeFiles(
    {
      'DEBIAN/control': 'Package: owned\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b.test>\nDescription: x\n',
      'DEBIAN/postinst': '#!/bin/sh\nset -e\nuseradd --system --create-home owner\nchown -R owner:owner /srv/owned\n',
      'srv/owned/file': 'content\n',
    },
    tree,
  );
  chownSync(join(tree, 'srv/owned/file'), 33, 33);
  await runChecked('dpkg-deb', ['--build', tree, join(context, 'owned.deb')]);
  return context;
}

const DOCKERFILE = `FROM debian
RUN touch /f && chown 1000:1000 /f && stat -c 'owner %u:%g' /f
RUN useradd --create-home app && grep ^app: /etc/passwd
RUN --mount=type=bind,target=/context apt-get install -y /context/owned.deb && cat /srv/owned/file
USER app
RUN echo "as $(id -u) in $HOME"
`;

describe('a user without subordinate ids', needs('root', 'setpriv', 'dpkg-deb'), () => {
  test('installs packages and adds users with --fake-ids', async () => {
    const { stderr } = good(await build(await contextWithPackage(DOCKERFILE), ['--fake-ids']));
    for (const line of ['owner 0:0', 'app:x:1000:1000:', 'Setting up owned', 'content', 'as 0 in /home/app'])
      expect(stderr).toContain(line);
  });

  test.each([
    ['chown', 'RUN touch /f && chown 1000:1000 /f'],
    ['apt-get', 'RUN --mount=type=bind,target=/context apt-get install -y /context/owned.deb'],
    ['another user', 'USER www-data\nRUN id'],
  ])('learns from the failure of %s how to get some', async (_, instruction) => {
    const { exitCode, stderr } = await build(await contextWithPackage(`FROM debian\n${instruction}\n`));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^hint: User nobody has no subordinate ids: run "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 nobody" as root; or use --fake-ids/m,
    );
  });

  test('gets no step with faked ids from the cache without the option, and exports none', async () => {
    const home = homeOfNobody();
    const context = writeFiles({
      Dockerfile: "FROM busybox\nCOPY a /\nRUN chown 7:7 /a || echo re''fused\nCOPY a /b\n",
      a: 'a\n',
    });
    const cache = join(home, 'cache');
    const fake = ['--fake-ids', '--cache-to', `type=local,dest=${cache},mode=max`];
    expect(good(await build(context, fake, home)).stderr).not.toContain('refused');
    expect(good(await build(context, [], home)).stderr).toContain('refused');
    const other = homeOfNobody();
    const imported = await build(context, ['--fake-ids', '--cache-from', `type=local,src=${cache}`], other);
    const { stderr } = good(imported);
    const number = (title: string): string =>
      new RegExp(String.raw`^#(\d+) \[[^\]]*\] ${title}`, 'm').exec(stderr)?.[1] ?? '';
    const isCached = (title: string): boolean => stderr.includes(`#${number(title)} CACHED\n`);
    expect(['COPY a /$', 'RUN', 'COPY a /b$'].map(isCached)).toEqual([true, false, false]);
  });
});

test('--fake-ids changes nothing where there are ids', needs('root'), async () => {
  const files = { Dockerfile: 'FROM busybox\nRUN touch /f && chown 7:8 /f\n' };
  const plain = good(await buildInline(files));
  const asked = good(await buildInline(files, { args: ['--fake-ids'] }));
  expect(asked.id()).toBe(plain.id());
  expect(asked.tree().entries.get('/f')).toMatchObject({ uid: 7, gid: 8 });
});
