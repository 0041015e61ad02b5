import { describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { buildInline, runTbuild, writeFiles } from '../../support/tbuild.ts';

type Files = Readonly<Record<string, string>>;

const clean: Files = { Dockerfile: 'FROM busybox\nCOPY a /a\n', a: '' };
const warned: Files = { Dockerfile: '# a file\nFROM busybox as base\nCOPY a \\\n  /a\n', a: '' };
const broken: Files = { Dockerfile: 'FROM busybox as base\nCOPPY a /a\n' };

function call(files: Files, ...args: readonly string[]) {
  return runTbuild(['--progress', 'quiet', ...baseImageArguments(), ...args, writeFiles(files)]);
}

describe('--check', () => {
  test('reports nothing for a good file, and builds nothing', async () => {
    const { exitCode, stdout, stderr } = await call(clean, '--check');
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: 'Check complete, no warnings found.\n',
      stderr: '',
    });
  });

  test('prints a warning in full and fails', async () => {
    const { exitCode, stdout } = await call(warned, '--check');
    expect(stdout).toBe(`Check complete, 1 warning has been found!

WARNING: FromAsCasing - https://docs.docker.com/go/dockerfile/rule/from-as-casing/
'as' and 'FROM' keywords' casing do not match
Dockerfile:2
--------------------
   1 |     # a file
   2 | >>> FROM busybox as base
     |                  ^^
   3 |     COPY a \\
   4 |       /a
--------------------
`);
    expect(exitCode).toBe(1);
  });

  test('does not fail with ignorestatus', async () => {
    expect((await call(warned, '--call=check,ignorestatus')).exitCode).toBe(0);
    expect((await call(warned, '--call=lint,ignorestatus=true')).exitCode).toBe(0);
    expect((await call(warned, '--call=lint,ignorestatus=false')).exitCode).toBe(1);
  });

  test('reports a file that cannot be read', async () => {
    const { exitCode, stdout, stderr } = await call(broken, '--check', '--call=check,format=json');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      warnings: [{ ruleName: 'FromAsCasing' }],
      buildError: {
        message: 'dockerfile parse error on line 2: unknown instruction: COPPY (did you mean COPY?)',
        location: { ranges: [{ start: { line: 2 }, end: { line: 2 } }] },
      },
    });
    expect(stderr).toContain('Unknown instruction: COPPY');
    expect((await call(broken, '--check')).stderr).toContain('(did you mean COPY?)');
    expect(warningsIn(await call(broken, '--check'))).toEqual(['FromAsCasing']);
    expect((await buildInline(broken)).stderr).toContain(
      " - FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)\n",
    );
  });

  test('prints the JSON of BuildKit', async () => {
    const { stdout } = await call(warned, '--call=check,format=json');
    expect(JSON.parse(stdout)).toEqual({
      warnings: [
        {
          ruleName: 'FromAsCasing',
          description: "The 'as' keyword should match the case of the 'from' keyword",
          url: 'https://docs.docker.com/go/dockerfile/rule/from-as-casing/',
          detail: "'as' and 'FROM' keywords' casing do not match",
          location: { ranges: [{ start: { line: 2 }, end: { line: 2 } }] },
        },
      ],
      sources: [
        {
          filename: 'Dockerfile',
          data: Buffer.from(warned['Dockerfile'] ?? '').toString('base64'),
          language: 'Dockerfile',
        },
      ],
    });
  });

  test('lists warnings in JSON in the order of BuildKit, for people in that of the file', async () => {
    const files = { Dockerfile: 'from busybox\nRUN a\nRUN b \\\n\n  c\n' };
    const { stdout } = await call(files, '--call=check,format=json');
    const found = JSON.parse(stdout).warnings.map(({ ruleName }: { readonly ruleName: string }) => ruleName);
    expect(found).toEqual(['NoEmptyContinuation', 'ConsistentInstructionCasing']);
    expect(warningsIn(await call(files, '--check'))).toEqual(['ConsistentInstructionCasing', 'NoEmptyContinuation']);
  });

  test('checks all stages, or with a target its stages and the syntax of the others', async () => {
    const files = { Dockerfile: 'FROM busybox AS One\nCMD echo\nFROM busybox AS two\n' };
    expect(warningsIn(await call(files, '--check'))).toEqual(['StageNameCasing', 'JSONArgsRecommended']);
    expect(warningsIn(await call(files, '--check', '--target', 'two'))).toEqual(['StageNameCasing']);
  });

  test('takes the ignore file into account', async () => {
    const files = {
      Dockerfile: 'FROM busybox\nCOPY secret/key a /\nCOPY missing /\n',
      '.dockerignore': 'secret\n',
      a: '',
    };
    expect(warningsIn(await call(files, '--check'))).toEqual(['CopyIgnoredFile']);
    expect(warningsIn(await call({ ...files, '.dockerignore': 'secret\n!secret/key\n' }, '--check'))).toEqual([]);
    const whole = { Dockerfile: 'FROM busybox\nCOPY . ../x /all/\n', a: '' };
    expect(warningsIn(await call({ ...whole, '.dockerignore': '*.log\nnode_modules\n' }, '--check'))).toEqual([]);
    expect(warningsIn(await call({ ...whole, '.dockerignore': '*\n' }, '--check'))).toEqual(['CopyIgnoredFile']);
    const own = { ...files, 'Dockerfile.dockerignore': 'missing\n' };
    expect((await call(own, '--check')).stdout).toContain('Attempting to Copy file "missing" that is excluded');
  });
});

function warningsIn({ stdout }: { readonly stdout: string }): readonly string[] {
  return Array.from(stdout.matchAll(/^WARNING: (\w+)/gm), ([, rule = '']) => rule);
}

describe('--call', () => {
  const files: Files = {
    Dockerfile: `# VERSION which one
ARG VERSION=1
FROM busybox AS tools
# app the program
FROM tools AS app
ARG VERSION
ARG MODE
RUN --mount=type=secret,id=key,required=true --mount=type=ssh true
`,
  };

  test('outline lists what a build takes', async () => {
    const { exitCode, stdout } = await call(files, '--call=outline', '--build-arg', 'MODE=fast');
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: `TARGET:      app
DESCRIPTION: the program

BUILD ARG   VALUE   DESCRIPTION
VERSION     1       which one
MODE        fast    ${''}

SECRET   REQUIRED
key      true

SSH       REQUIRED
default   ${''}

`,
    });
    expect(JSON.parse((await call(files, '--call=outline,format=json', '--target=tools')).stdout)).toMatchObject({
      name: 'tools',
    });
  });

  test('targets lists the stages', async () => {
    expect((await call(files, '--call', 'targets')).stdout).toBe(
      'TARGET        DESCRIPTION\ntools         \napp (default) the program\n',
    );
    const { targets } = JSON.parse((await call(files, '--call', 'targets,format=json')).stdout);
    expect(targets).toEqual([
      { name: 'tools', base: 'busybox', location: expect.anything() },
      { name: 'app', default: true, description: 'the program', base: 'tools', location: expect.anything() },
    ]);
  });

  test('subrequests.describe lists the calls', async () => {
    const { stdout } = await call(files, '--call=subrequests.describe');
    expect(stdout).toContain('targets              1.0.0   List all targets current build supports\n');
    expect(JSON.parse((await call(files, '--call=describe,format=json')).stdout)).toHaveLength(3);
  });

  test('an unknown call is a usage error', async () => {
    const { exitCode, stderr } = await call(files, '--call=outlin');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Did you mean outline?');
    expect((await call(files, '--call=check,format=xml')).exitCode).toBe(2);
  });
});

describe('after a build', () => {
  test('warnings are one line each, and in full with --debug', async () => {
    const line = " - FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 2)\n";
    const { stderr } = await buildInline(warned);
    expect(stderr).toContain(`\n 1 warning found (use --debug to expand):\n${line}`);
    expect(stderr).toContain("#1 WARN: FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 2)\n");
    const full = await buildInline(warned, { args: ['--debug'] });
    expect(full.stderr)
      .toContain(`\n 1 warning found:\n${line}The 'as' keyword should match the case of the 'from' keyword
More info: https://docs.docker.com/go/dockerfile/rule/from-as-casing/
Dockerfile:2
--------------------
   1 |     # a file
   2 | >>> FROM busybox as base
     |                  ^^
`);
    expect((await buildInline(warned, { args: ['--quiet'] })).stderr).toBe('');
  });

  test('error=true fails before the first step, by the file or by an argument', async () => {
    const says = 'ERROR: lint violation found for rules: FromAsCasing\n';
    const strict = { ...warned, Dockerfile: `# check=error=true\n${warned['Dockerfile']}RUN echo ran\n` };
    const failed = await buildInline(strict);
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain(says);
    expect(failed.stderr).toContain('1 warning found');
    expect(failed.stderr).toContain('   1 | >>> # check=error=true\n     |             ^^^^^^^^^^\n');
    expect(failed.stderr).not.toContain('RUN echo ran\n#');
    const byArgument = await buildInline(warned, { args: ['--build-arg', 'BUILDKIT_DOCKERFILE_CHECK=error=true'] });
    expect(byArgument.stderr).toContain(says);
    const silenced = await buildInline(strict, {
      args: ['--build-arg', 'BUILDKIT_DOCKERFILE_CHECK=skip=all;error=true', '--target=base'],
    });
    expect(silenced.stderr).not.toContain('warning');
    const checked = await call(strict, '--check');
    expect(checked.stdout).toMatch(/^Check complete, 1 warning has been found!\n/);
    expect(checked.stderr).toContain(says);
    expect(checked.exitCode).toBe(1);
  });
});

describe('# syntax=', () => {
  test("that names Docker's frontend uses the built-in one and says so", async () => {
    const { exitCode, stderr } = await buildInline({
      Dockerfile: '# syntax=docker/dockerfile:1.7-labs\nFROM busybox\n',
    });
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain('[internal] frontend docker/dockerfile:1.7-labs is built in\n');
  });

  test('that names another frontend is refused, with its line', async () => {
    const { exitCode, stderr } = await buildInline({ Dockerfile: '# syntax=example.org/other:1\nFROM busybox\n' });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('   1 | >>> # syntax=example.org/other:1\n     |              ^^^^^^^^^^^^^^^^^^^\n');
  });
});

describe('tbuild explain', () => {
  test('shows the page of a rule in any case of its name', async () => {
    const { exitCode, stdout } = await runTbuild(['explain', 'undefinedvar']);
    expect(exitCode).toBe(0);
    for (const part of ['UndefinedVar\n', 'Bad:\n', 'Good:\n', '/rule/undefined-var/']) expect(stdout).toContain(part);
  });

  test('lists all rules, and suggests a name for an unknown one', async () => {
    expect((await runTbuild(['explain'])).stdout.match(/^[A-Z]\w+ {2}/gm)).toHaveLength(22);
    const { exitCode, stderr } = await runTbuild(['explain', 'UndefinedVra']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Did you mean UndefinedVar?');
  });
});
