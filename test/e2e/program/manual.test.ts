import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { needs } from '../../support/requirements.ts';
import { runProcess } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { good, runTbuild } from '../../support/tbuild.ts';

test('every command has a manual page that man accepts', needs('man'), async () => {
  const directory = scratchDirectory('man');
  good(await runTbuild(['__man', directory]));
  const pages = readdirSync(directory);
  for (const name of ['tbuild.1', 'tbuild-build.1', 'tbuild-imagetools-create.1', 'tbuild-gitlab-ci.1'])
    expect(pages).toContain(name);
  const options = { env: { MANROFFSEQ: '', MANWIDTH: '80', LC_ALL: 'C.UTF-8' } };
  const { stdout, stderr } = await runProcess('man', ['--warnings', '-l', join(directory, 'tbuild-build.1')], options);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^ +-t, --tag NAME\[:TAG\]$/m);
  for (const page of pages)
    expect((await runProcess('man', ['--warnings', '-l', join(directory, page)], options)).stderr).toBe('');
});
