import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builders } from '../../support/builders.ts';
import { startRegistry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, buildInline, good, runTbuild, userDirectory, writeFiles } from '../../support/tbuild.ts';

describe.each(builders)('the history of builds of $who', ({ asUser }) => {
  const newStore = () => (asUser ? userDirectory('store') : scratchDirectory('store'));
  const tbuild = async (store: string, ...args: string[]) => good(await runTbuild(args, { store, asUser })).stdout;

  test('a completed, a cached and a failed build are listed, shown and removed', async () => {
    const store = newStore();
    const files = { Dockerfile: 'FROM busybox\nRUN echo from the step\nRUN test ! -e /fail && touch /ok\n' };
    const first = await buildInline(files, { store, asUser });
    good(first);
    good(await buildContext(first.context, { store, asUser }));
    const failing = { Dockerfile: 'FROM busybox\nRUN echo last words; exit 3\n' };
    expect((await buildInline(failing, { store, asUser })).exitCode).toBe(1);

    const rows = (await tbuild(store, 'builds', 'ls')).split('\n');
    expect(rows[0]).toMatch(/^BUILD ID +NAME +STATUS +CREATED AT +DURATION$/);
    expect(rows.slice(1, 4).map((row) => /(Completed|Error)/.exec(row)?.[0])).toEqual([
      'Error',
      'Completed',
      'Completed',
    ]);
    const cached = await tbuild(store, 'buildx', 'history', 'ls', '--format', '{{.Steps}} {{.Cached}}');
    expect(cached.split('\n').slice(1, 3)).toEqual(['3 3', expect.stringMatching(/^3 [01]$/)]);

    const shown = await tbuild(store, 'builds', 'show');
    expect(shown).toMatch(/^Status: +Error$/m);
    expect(shown).toMatch(/FAILED +\d+\.\ds +\[2\/2\] RUN echo last words; exit 3 \(it is new\)$/m);
    expect(shown).toMatch(/^Error: process ".*" did not complete successfully: exit code: 3 \(Dockerfile:2\)$/m);
    expect(await tbuild(store, 'buildx', 'history', 'inspect', '^1')).toMatch(/^Steps: +3\/3 \(100% cached\)$/m);

    expect(await tbuild(store, 'builds', 'logs')).toMatch(/^#\d+ \[2\/2\] RUN echo[^]*^#\d+ \d\.\d+ last words$/m);
    expect(await tbuild(store, 'builds', 'logs', '^2')).toMatch(/^#\d+ \d\.\d+ from the step$/m);
    expect(await tbuild(store, 'builds', 'logs', '--progress', 'rawjson')).toContain('"vertexes"');

    const [last = '', ...others] = (await tbuild(store, 'builds', 'ls', '-q')).trim().split('\n');
    expect(await tbuild(store, 'builds', 'rm', last)).toBe(`${last}\n`);
    expect((await tbuild(store, 'builds', 'ls', '-q')).trim().split('\n')).toEqual(others);
    await tbuild(store, 'builds', 'rm', '--all');
    expect(await tbuild(store, 'builds', 'ls', '-q')).toBe('');
  });

  test('the metadata file names the build by which it is found, and the export has its output', async () => {
    const store = newStore();
    const place = asUser ? userDirectory('results') : scratchDirectory('results');
    const metadata = join(place, 'metadata.json');
    const files = { Dockerfile: 'FROM busybox\nRUN echo exported\n' };
    good(await buildInline(files, { store, asUser, args: ['--metadata-file', metadata, '-t', 'app:1'] }));
    const ref: string = JSON.parse(readFileSync(metadata, 'utf8'))['buildx.build.ref'];
    await tbuild(store, 'builds', 'export', '-o', join(place, 'build.json'), ref);
    const { id, results, events } = JSON.parse(readFileSync(join(place, 'build.json'), 'utf8'));
    expect(`default/default/${id}`).toBe(ref);
    expect(results[''].names).toEqual(['docker.io/library/app:1']);
    expect(events).toContainEqual(expect.objectContaining({ type: 'log', data: 'exported\n' }));
  });
});

test('the secrets of a build are in no part of its record', async () => {
  const store = scratchDirectory('store');
  const files = {
    Dockerfile: 'FROM busybox\nARG API_TOKEN\nRUN --mount=type=secret,id=s cat /run/secrets/s; test -n "$API_TOKEN"\n',
  };
  const args = ['--secret', 'id=s,env=S', '--build-arg', 'API_TOKEN=hush-argument'];
  good(await buildInline(files, { store, args, env: { S: 'hush-secret' } }));
  const exported = good(await runTbuild(['builds', 'export'], { store })).stdout;
  expect(exported).toContain('"type": "log"');
  expect(exported).not.toMatch(/hush-/);
});

test('prune --all removes the records of builds, and du counts them', async () => {
  const store = scratchDirectory('store');
  good(await buildInline({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' }, { store }));
  expect(good(await runTbuild(['du'], { store })).stdout).toMatch(/^Builds +[1-9]\S*kB /m);
  good(await runTbuild(['prune', '--filter', 'until=1h', '--force'], { store }));
  expect(good(await runTbuild(['builds', 'ls', '-q'], { store })).stdout).not.toBe('');
  good(await runTbuild(['prune', '--all', '--force'], { store }));
  expect(good(await runTbuild(['builds', 'ls', '-q'], { store })).stdout).toBe('');
});

test('a build that takes too long is an error, and a bake is one build', async () => {
  const store = scratchDirectory('store');
  const files = {
    Dockerfile: 'FROM scratch AS a\nCOPY Dockerfile /a\nFROM scratch AS b\nCOPY Dockerfile /b\n',
    'docker-bake.json': '{"group":{"default":{"targets":["a","b"]}},"target":{"a":{"target":"a"},"b":{"target":"b"}}}',
  };
  const endless = { Dockerfile: 'FROM busybox\nRUN sleep 600\n' };
  expect((await buildInline(endless, { store, args: ['--timeout', '1s'] })).exitCode).toBe(1);
  const { context: cwd } = await buildInline(files, { store });
  good(await runTbuild(['bake', '--progress', 'none'], { store, cwd }));
  const rows = good(await runTbuild(['builds', 'ls', '--format', '{{.Name}} {{.Status}}'], { store })).stdout.split(
    '\n',
  );
  expect(rows[0]).toBe('a, b Completed');
  expect(rows[2]).toMatch(/ Error$/);
  const shown = good(await runTbuild(['builds', 'show'], { store })).stdout;
  expect(shown.match(/^(?:\[.*\]|Target:.*|Image:)/gm)).toEqual(
    ['a', 'b'].flatMap((name) => [`[${name}]`, `Target:     ${name}`, 'Image:']),
  );
});

test('builds ls --filter chooses by status, name and reference', async () => {
  const store = scratchDirectory('store');
  const context = writeFiles({ Dockerfile: 'FROM scratch\n', Bad: 'FROM scratch\nRUN x\n' });
  good(await buildContext(context, { store }));
  await buildContext(context, { store, args: ['-f', join(context, 'Bad')] });
  const list = async (filter: string) =>
    good(await runTbuild(['builds', 'ls', '--format', '{{.Status}}', '--filter', filter], { store })).stdout;
  expect(await list('status=error')).toBe('Error\n');
  expect(await list('status!=error')).toBe('Completed\n');
  expect(await list('name~=/Bad$')).toBe('Error\n');
  expect(await list('ref=none')).toBe('');
  const refused = await runTbuild(['builds', 'ls', '--filter', 'size=1'], { store });
  expect(refused.stderr).toContain('Invalid --filter "size=1": expected status, name, ref');
  const unknown = await runTbuild(['builds', 'ls', '--filter', 'status=good'], { store });
  expect(unknown).toMatchObject({ exitCode: 2, stdout: '' });
  expect(unknown.stderr).toContain('Invalid --filter "status=good": expected status=completed|error|canceled');
});

test('a step that fails says when it succeeded last, and which steps have changed since', async () => {
  const store = scratchDirectory('store');
  const Dockerfile = 'FROM busybox\nCOPY a /a\nCOPY b /b\nRUN echo between\nRUN ! grep bad /b\n';
  const { context } = good(await buildInline({ Dockerfile, a: '1', b: 'fine' }, { store }));
  const { stdout } = good(await runTbuild(['builds', 'ls', '-q'], { store }));
  writeFiles({ b: 'bad' }, context);
  for (let count = 0; count < 2; count++) {
    const failed = await buildContext(context, { store });
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toMatch(
      new RegExp(
        `^note: this step succeeded in build ${stdout.trim()}, .* ago; changed since: \\[3/5\\] COPY b /b$`,
        'm',
      ),
    );
  }
  const other = await buildInline({ Dockerfile: 'FROM busybox\nRUN exit 4\n' }, { store });
  expect(other.stderr).not.toContain('note: this step');
});

test('a pushed image is one output', needs('registry'), async () => {
  await using registry = await startRegistry();
  const [store, context] = [scratchDirectory('store'), writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' })];
  const name = `${registry.host}/app:1`;
  good(await runTbuild(['-t', name, '--push', context], { store }));
  const { stdout } = good(await runTbuild(['builds', 'show'], { store }));
  expect(stdout).toMatch(new RegExp(`^Outputs: +${name}$`, 'm'));
});

test('a build that is not recorded is a mistake with a hint', async () => {
  const store = scratchDirectory('store');
  const { exitCode, stderr } = await runTbuild(['builds', 'show', 'nothing'], { store });
  expect(exitCode).toBe(1);
  expect(stderr).toBe(
    'ERROR: No build "nothing" is recorded\nhint: Run "tbuild builds ls" for a list of recorded builds\n',
  );
  expect((await runTbuild(['builds', 'rm'], { store })).exitCode).toBe(2);
});
