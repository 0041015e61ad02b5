import { describe, expect, test, vi } from 'vitest';
import { bakeDirectory } from '../../support/bake.ts';
import { startGitServer } from '../../support/git-server.ts';
import { patiently } from '../../support/patience.ts';
import { needs } from '../../support/requirements.ts';
import { startTbuild } from '../../support/tbuild-terminal.ts';
import { defaultStore } from '../../support/tbuild.ts';
import type { Terminal } from '../../support/terminal.ts';

const FILES = {
  'docker-bake.hcl': `group "default" { targets = ["a", "b"] }
target "a" {
  entitlements = ["network.host"]
  contexts     = { outside = "/usr/share" }
}
target "b" { entitlements = ["network.host"] }
`,
  Dockerfile: 'FROM scratch\nCOPY docker-bake.hcl /\n',
};

const start = (directory: string, ...args: readonly string[]): Promise<Terminal> =>
  startTbuild(['bake', ...args], { store: defaultStore(), cwd: directory, columns: 200 });

const asked = (terminal: Terminal): Promise<void> =>
  vi.waitFor(async () => expect(await terminal.scrollback()).toContain('Grant them? [y/N]'), patiently);

describe('a bake on a terminal', needs('tmux'), () => {
  test('asks once for the permissions of all targets, and builds with them', async () => {
    await using terminal = await start(bakeDirectory(FILES));
    await asked(terminal);
    await terminal.type('y', 'Enter');
    await terminal.screens();
    const text = await terminal.scrollback();
    expect(terminal.exitCode(), text).toBe(0);
    expect(text.match(/Grant them\?/g)).toHaveLength(1);
    expect(text).toContain(' - network.host\n - fs.read=/usr/share\n');
    expect(text).toContain('FINISHED');
  });

  test.each([[['n', 'Enter']], [['Enter']], [['C-d']]])('builds nothing when %j answers the question', async (keys) => {
    await using terminal = await start(bakeDirectory(FILES));
    await asked(terminal);
    await terminal.type(...keys);
    await terminal.screens();
    const text = await terminal.scrollback();
    expect(terminal.exitCode(), text).toBe(1);
    expect(text).toContain('ERROR: The targets ask for what is not allowed: "network.host", "fs.read=/usr/share"');
    expect(text).not.toContain('Building');
  });

  test('ends at Ctrl-C while it asks', async () => {
    await using terminal = await start(bakeDirectory(FILES));
    await asked(terminal);
    await terminal.type('C-c');
    await terminal.screens();
    expect(terminal.exitCode()).toBe(130);
  });

  test('shows how a definition is fetched, and then the build', async () => {
    await using git = await startGitServer();
    await git.commit('shop', { ...FILES, 'docker-bake.hcl': 'target "default" { tags = ["terminal/bake"] }\n' });
    await using terminal = await start(bakeDirectory({ a: '' }), `${git.url}/shop.git`);
    await terminal.screens();
    const text = await terminal.scrollback();
    expect(terminal.exitCode(), text).toBe(0);
    expect(text).toMatch(/shop\.git/);
    expect(text).toMatch(/FINISHED[^]*FINISHED/);
  });
});
