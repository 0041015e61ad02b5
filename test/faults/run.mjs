// Builds tbuild, and breaks a copy of it: another run, or a build of the clone meanwhile, does not replace what runs.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const clone = join(import.meta.dirname, '../..');
if (!process.argv.includes('--help')) buildCopy();
// The machine may be far busier later than it is now.
process.env.TBUILD_TEST_PATIENCE ??= '8';
process.argv.splice(2, 0, join(import.meta.dirname, 'run.ts'));
await import('../support/run-ts.mjs');

function buildCopy() {
  const copy = mkdtempSync(join(tmpdir(), 'tbuild-copy-'));
  process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
  chmodSync(copy, 0o755);
  const build = `turbo run build --filter=tbuild && cd packages/cli && cp -r bin dist package.json "$1"`;
  // Runs that begin at the same time build one after the other.
  execFileSync('flock', ['-o', 'packages/cli/bundle.mjs', 'sh', '-c', build, 'sh', copy], {
    cwd: clone,
    env: { ...process.env, PATH: `${clone}/node_modules/.bin:${process.env.PATH}`, TURBO_TELEMETRY_DISABLED: '1' },
    stdio: 'inherit',
  });
  symlinkSync(join(clone, 'node_modules'), join(copy, 'node_modules'));
  process.env.TBUILD_TEST_PROGRAM ??= join(copy, 'bin/tbuild');
}
