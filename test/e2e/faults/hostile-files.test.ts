import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builders } from '../../support/builders.ts';
import { isolations } from '../../support/isolations.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, buildInline, userDirectory, type InlineBuildOptions } from '../../support/tbuild.ts';
import { tarOf } from '../../support/write-tar.ts';

/** A directory of the machine that no build may read or write. */
function victim(asUser = false): { readonly path: string; check(): void } {
  const path = asUser ? userDirectory('victim') : scratchDirectory('victim');
  mkdirSync(join(path, 'in'));
  writeFileSync(join(path, 'in/file'), 'of the machine');
  const before = lstatSync(join(path, 'in')).mtimeMs;
  return {
    path,
    check() {
      expect([readdirSync(path), readdirSync(join(path, 'in'))]).toEqual([['in'], ['file']]);
      expect(readFileSync(join(path, 'in/file'), 'utf8')).toBe('of the machine');
      expect(lstatSync(join(path, 'in')).mtimeMs).toBe(before);
    },
  };
}

const UP = '../../../../../../../../../../../..';

/** The content that a stage has at a path that exists on the machine too. */
const stage = (path: string): string =>
  `FROM busybox AS evil\nRUN mkdir -p ${path}/in && echo of the image > ${path}/in/file && ln -s ${path} /abs && ln -s ${UP}${path} /up && ln -s / /root-link && ln -s loop /loop\n`;

describe.each(builders)('links in an image never lead out of it, for $who:', ({ asUser }) => {
  const build = async (Dockerfile: (path: string) => string, options: InlineBuildOptions = {}): Promise<string> => {
    const { path, check } = victim(asUser);
    const built = await buildGood({ Dockerfile: Dockerfile(path), f: 'f' }, { asUser, ...options });
    check();
    return built.tree().entries.has('/out') ? built.tree().readText('/out') : '';
  };

  test.each(['/abs/in/file', '/up/in/file', '/abs/in', '/root-link/up/in/file'])('COPY --from %s', async (source) => {
    const copied = source.endsWith('file') ? '/out' : '/out-directory/';
    const after = source.endsWith('file') ? '' : 'RUN cp /out-directory/file /out\n';
    expect(await build((path) => `${stage(path)}FROM busybox\nCOPY --from=evil ${source} ${copied}\n${after}`)).toBe(
      'of the image\n',
    );
  });

  test.each(['/abs', '/up', '/root-link/abs'])('COPY, ADD and WORKDIR below %s', async (link) => {
    const tar = tarOf([
      { name: 'in/unpacked', data: 'x' },
      { name: 'abs', type: 'symlink', linkname: '/' },
    ]);
    const { path, check } = victim(asUser);
    const steps = `${stage(path)}COPY f ${link}/in/new\nADD a.tar ${link}/\nWORKDIR ${link}/in/made\nRUN pwd -P > /out; ls ${path}/in >> /out\n`;
    const built = await buildGood({ Dockerfile: steps, f: 'f', 'a.tar': tar.toString('latin1') }, { asUser });
    check();
    expect(built.tree().readText('/out')).toBe(`${path}/in/made\nfile\nmade\nnew\nunpacked\n`);
  });

  test.each(['/abs/in', '/up/in', '/root-link/abs/in'])('a bind mount of %s', async (source) => {
    const mount = `--mount=from=evil,source=${source},target=/m,rw`;
    expect(
      await build(
        (path) => `${stage(path)}FROM busybox\nRUN ${mount} cp /m/file /out && echo x > /m/file && touch /m/y\n`,
      ),
    ).toBe('of the image\n');
  });

  test('a link that leads to itself is an error', async () => {
    const built = await buildInline(
      { Dockerfile: `${stage('/x')}FROM busybox\nCOPY --from=evil /loop /x\nCOPY --from=evil /loop/y /x\n` },
      { asUser },
    );
    expect(built.exitCode).toBe(1);
    expect(built.stderr).not.toMatch(/^ +at \S+ \(/m);
  });
});

describe.each(isolations)('links in a cache mount never lead out of it, isolation %s:', (isolation) => {
  const args = ['--isolation', isolation, '--no-cache'];
  const cache = '--mount=type=cache,id=swapped,target=/c';
  const swapped = (path: string) =>
    `FROM busybox\nRUN ${cache} rm -rf /c/* && mkdir /c/dir && ln -s ${path} /c/abs && ln -s ${UP}${path} /c/up && ln -s ${path}/in/file /c/file\n`;

  test.each([
    ['a file written through one', () => `RUN ${cache} ! cat /c/file; ! echo x 2> /dev/null > /c/abs/in/file; true`],
    ['a mount point below one', () => `RUN ${cache} --mount=type=tmpfs,target=/c/abs/in/new true || true`],
    ['a working directory below one', () => `WORKDIR /c/up/in/made\nRUN ${cache} true || true`],
    [
      'the cache itself replaced by one',
      (path: string) =>
        `RUN ${cache} rm -r /c 2> /dev/null; mv /c /d 2> /dev/null; ln -s ${path} /c 2> /dev/null; true`,
    ],
    ['an owner changed through one', () => `RUN ${cache} chown -R 4711 /c; chmod -R 777 /c; true`],
  ])('%s', async (_name, step) => {
    const { path, check } = victim();
    const build = await buildInline({ Dockerfile: `${swapped(path)}${step(path)}\n` }, { args });
    expect([0, 1]).toContain(build.exitCode);
    expect(build.stderr).not.toMatch(/^ +at \S+ \(/m);
    expect(build.stderr).not.toContain('of the machine');
    check();
    const exported = join(scratchDirectory('exported'), 'cache');
    const sent = ['--cache-to', `type=local,dest=${exported},mode=max,mounts=true`];
    await buildGood({ Dockerfile: swapped(path) }, { args: [...args, ...sent] });
    check();
  });
});
