import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ranIn } from '../../support/plain-progress.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, buildInline, type InlineBuild } from '../../support/tbuild.ts';

const UUID = 'cat /proc/sys/kernel/random/uuid';
const files = {
  Dockerfile: `FROM busybox
COPY f /f
RUN ${UUID} > /one
COPY f /g
FROM busybox
WORKDIR /w
COPY --from=0 /one /f /
`,
  f: 'f\n',
};
const ran = ({ stderr }: InlineBuild) => ranIn(stderr);

describe('--cache-ttl', () => {
  test('runs RUN steps again that ran longer ago, and what reads their files', async () => {
    const store = scratchDirectory('store');
    const build = (...args: string[]) => buildGood(files, { store, args });
    const first = await build();
    expect(ran(await build('--cache-ttl', '1h'))).toEqual([]);
    const old = await build('--cache-ttl', '1ms', '--explain');
    expect(ran(old)).toEqual([`RUN ${UUID} > /one`, 'COPY f /g', 'COPY --from=0 /one /f /']);
    expect(old.stderr).toContain('it ran longer ago than --cache-ttl allows');
    expect(old.tree().readText('/one')).not.toBe(first.tree().readText('/one'));
    // The new result has replaced the old one.
    const next = await build();
    expect(ran(next)).toEqual([]);
    expect(next.id()).toBe(old.id());
  });

  test('counts the age of an imported step from when it ran on the other machine', async () => {
    const cache = join(scratchDirectory('cache'), 'made');
    const first = await buildGood(files, {
      store: scratchDirectory('store'),
      args: ['--cache-to', `type=local,dest=${cache},mode=max`],
    });
    const from = (ttl: string) =>
      buildGood(files, {
        store: scratchDirectory('store'),
        args: ['--cache-from', `type=local,src=${cache}`, '--cache-ttl', ttl],
      });
    const young = await from('1h');
    expect(ran(young)).toEqual([]);
    expect(young.id()).toBe(first.id());
    const old = await from('1ms');
    expect(ran(old)).toContain(`RUN ${UUID} > /one`);
    expect(ran(old)).not.toContain('COPY f /f');
  });

  test('that is no span of time is a mistake of the command line', async () => {
    const build = await buildInline(files, { args: ['--cache-ttl', 'soon'] });
    expect(build.exitCode).toBe(2);
    expect(build.stderr).toContain('Invalid --cache-ttl "soon": expected a span of time');
  });
});
