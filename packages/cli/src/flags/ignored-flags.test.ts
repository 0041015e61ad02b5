import { expect, test } from 'vitest';
import { describeFlags, parseArgs } from './args.ts';
import { buildFlags } from './build-flags.ts';
import { ignoredOptions } from './ignored-flags.ts';

test.each([
  ['--rm --force-rm=false --compress --disable-content-trust --builder other', []],
  ['--squash', ['--squash has no effect. Use a last stage that copies the files you want']],
  ['--squash=false', []],
  [
    '--security-opt seccomp=unconfined',
    ['--security-opt has no effect. Use --allow security.insecure and RUN --security=insecure'],
  ],
])('docker build %s .', (line, told) => {
  const { flags, positional } = parseArgs([...line.split(' '), '.'], buildFlags);
  expect(ignoredOptions(flags)).toEqual(told);
  expect(positional).toEqual(['.']);
});

test('options without effect are not in the help text', () => {
  expect(describeFlags(buildFlags)).not.toMatch(/--(rm|squash|builder)\b/);
});
