import { describe, expect, test } from 'vitest';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { startTbuild } from '../../support/tbuild-terminal.ts';
import { writeFiles } from '../../support/tbuild.ts';

const PRUNE = ['prune'];
const IMAGES = ['image', 'prune'];
const LOGIN = ['login', 'registry.example'];

describe('a question on a terminal', needs('tmux'), () => {
  test.each<[args: readonly string[], keys: string, exitCode: number, says: string]>([
    [PRUNE, 'y Enter', 0, 'Total reclaimed space'],
    [PRUNE, 'n Enter', 1, 'Nothing was removed'],
    [PRUNE, 'C-d', 1, 'Nothing was removed'],
    [PRUNE, 'C-c', 130, '^C'],
    [IMAGES, 'C-d', 1, 'Nothing was removed'],
    [['init'], 'Enter', 0, 'Wrote Dockerfile'],
    [['init'], 'C-d', 2, '--type python'],
    [['init'], 'C-c', 130, '^C'],
    [LOGIN, 'C-d', 130, 'Username:\nERROR: The login was cancelled'],
    [LOGIN, 'C-c', 130, 'The login was cancelled'],
  ])('of tbuild %j that is answered by %s ends with %i and "%s"', async (args, keys, exitCode, says) => {
    const cwd = writeFiles({ 'go.mod': 'module example.com/m\n', 'main.py': '' });
    await using terminal = await startTbuild(args, { store: scratchDirectory('store'), cwd });
    await terminal.waitFor(/(\?|\]|Username.*) ?$/m);
    await terminal.type(...keys.split(' '));
    await terminal.screens();
    const text = await terminal.scrollback();
    expect(terminal.exitCode(), text).toBe(exitCode);
    expect(text).toContain(says);
  });
});
