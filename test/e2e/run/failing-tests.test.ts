import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { startTbuild } from '../../support/tbuild-terminal.ts';
import { writeFiles } from '../../support/tbuild.ts';

/** As in Node's own archives; Debian's npm has its packages elsewhere. */
const npm = join(dirname(process.execPath), '../lib/node_modules/npm');

const FILES = {
  Dockerfile: `FROM node
COPY --from=npm . /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /app
COPY . .
RUN npm test
`,
  'package.json': JSON.stringify({
    type: 'module',
    scripts: {
      test: 'mkdir -p reports && node --test --test-reporter junit --test-reporter-destination reports/junit.xml',
    },
  }),
  'sum.js': 'export const sum = (a, b) => a - b;\n',
  'sum.test.js': `import { strictEqual } from 'node:assert';
import { test } from 'node:test';
import { sum } from './sum.js';
test('adds', () => strictEqual(sum(2, 3), 5));
`,
};

test(
  'a failing npm test is looked into in a shell, its report comes out, and it is run again once mended',
  needs('tmux', { met: existsSync(join(npm, 'node_modules')), lacks: 'npm with its packages beside Node' }),
  async () => {
    const out = join(scratchDirectory('reports'), 'out');
    const context = writeFiles(FILES);
    const contexts = [...baseImageArguments(['node']), '--build-context', `npm=${npm}`];
    const outputs = ['-t', 'app:1', '-o', `type=local,dest=${out},from=/app/reports,when=failure`];
    const store = scratchDirectory('store');
    await using terminal = await startTbuild(['build', ...contexts, ...outputs, context], { store });
    await terminal.waitFor('[s]hell  [r]etry  [l]og  [q]uit');
    expect(readFileSync(join(out, 'junit.xml'), 'utf8')).toMatch(/<testcase name="adds"[^]*<failure/);
    await terminal.send('s');
    await terminal.waitFor('(step)');
    await terminal.send('npm test; echo "ended with $?"', 'Enter');
    await terminal.waitFor(/^ended with 1$/m);
    await terminal.send('sed -i \'s/a - b/a + b/\' sum.js; npm test; echo "ended with $?"', 'Enter');
    await terminal.waitFor(/^ended with 0$/m);
    writeFiles({ 'sum.js': FILES['sum.js'].replace('-', '+') }, context);
    await terminal.send('retry', 'Enter');
    await terminal.screens();
    expect(terminal.exitCode()).toBe(0);
  },
);
