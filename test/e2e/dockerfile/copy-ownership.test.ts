import { describe, expect, test } from 'vitest';
import { builders } from '../../support/builders.ts';
import { buildGood } from '../../support/tbuild.ts';

const owner = (entry: { uid: number; gid: number; mode: string } | undefined) =>
  entry && `${entry.uid}:${entry.gid} ${entry.mode}`;

/** Docker 26 differs here, so no conformance golden covers it; the current BuildKit is the reference. */
describe.each(builders)('COPY by $who', ({ asUser }) => {
  const copy = async (lines: string) => {
    const files = { Dockerfile: `FROM busybox\n${lines}\n`, 'a.txt': 'a\n', 'dir/one': '1\n', 'dir/sub/two': '2\n' };
    const { entries } = (await buildGood(files, { asUser })).tree();
    return (path: string) => owner(entries.get(path));
  };

  test('--chmod in octal also sets the mode of the directories it creates', async () => {
    const at = await copy('COPY --chmod=0640 a.txt /p1/p2/');
    expect([at('/p1'), at('/p1/p2'), at('/p1/p2/a.txt')]).toEqual(['0:0 0640', '0:0 0640', '0:0 0640']);
  });

  test('--chmod takes symbolic modes', async () => {
    const at = await copy('COPY --chmod=u=rwX,go=rX dir /d\nCOPY --chmod=a+x,g-r a.txt /a');
    expect([at('/d/one'), at('/d/sub'), at('/a')]).toEqual(['0:0 0644', '0:0 0755', '0:0 0715']);
  });

  test('--chown names are looked up in the image, numbers are not', async () => {
    const at = await copy(
      'COPY --chown=www-data:staff a.txt /n/1\nCOPY --chown=4321 a.txt /n/2\nCOPY --chown=operator dir /o',
    );
    expect([at('/n'), at('/n/1'), at('/n/2'), at('/o'), at('/o/sub/two')]).toEqual([
      '33:50 0755',
      '33:50 0644',
      '4321:4321 0644',
      '37:37 0755',
      '37:37 0644',
    ]);
  });

  test('--link sets an existing directory back to its own mode', async () => {
    const at = await copy('RUN mkdir -m 700 /d\nCOPY --link a.txt /d/');
    expect([at('/d'), at('/d/a.txt')]).toEqual(['0:0 0755', '0:0 0644']);
  });
});

test('a hard link to a file of a lower layer is a separate file in the image', async () => {
  const build = await buildGood({ Dockerfile: 'FROM busybox\nRUN echo x > /x\nRUN ln /x /later\n' });
  const { entries } = build.tree();
  expect(entries.get('/later')).toMatchObject({ type: 'file', size: 2 });
  expect(entries.get('/x')?.linkTo ?? entries.get('/later')?.linkTo).toBeUndefined();
});

test('the history shows the effective arguments, inherited ones included', async () => {
  const build = await buildGood(
    {
      Dockerfile:
        'FROM busybox AS parent\nARG A=1 B\nARG TARGETARCH\nFROM parent\nRUN true\nHEALTHCHECK CMD true\nEXPOSE 80 443/TCP\n',
    },
    { args: ['--build-arg', 'A=given', '--platform', 'linux/amd64'] },
  );
  const history = build
    .image()
    .config.history?.map((entry) => entry.created_by)
    .slice(1);
  expect(history).toEqual([
    'ARG A=given B',
    'ARG TARGETARCH=amd64',
    'RUN |3 A=given B= TARGETARCH=amd64 /bin/sh -c true # buildkit',
    'HEALTHCHECK {Test:[CMD-SHELL true] Interval:0s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}',
    'EXPOSE [443/tcp 80/tcp]',
  ]);
});
