import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

test.each(Object.entries(scripts))('npm run %s installs the npm packages that it needs first', (_, command) => {
  expect(command).toMatch(/^sh fixtures\/(ready\.sh|install\.sh test|quickstart\.sh)/);
});

test.each(Object.entries(scripts).filter(([, command]) => /\bturbo /.test(command)))(
  'npm run %s sends no telemetry',
  (_, command) => {
    expect(command.match(/\S+ turbo /g)).toEqual(['TURBO_TELEMETRY_DISABLED=1 turbo ']);
  },
);

test('npm run build shows no notice of telemetry to somebody who never ran it', () => {
  const home = mkdtempSync(join(tmpdir(), 'tbuild-home-'));
  try {
    const { TURBO_TELEMETRY_DISABLED: _, ...env } = process.env;
    const { stdout, stderr } = spawnSync('npm', ['run', 'build', '--', '--dry'], {
      cwd: ROOT,
      env: { ...env, HOME: home, XDG_CONFIG_HOME: home },
      encoding: 'utf8',
    });
    expect(stdout).toContain('Packages in Scope');
    expect(stdout + stderr).not.toContain('anonymous telemetry');
  } finally {
    rmSync(home, { recursive: true });
  }
});
