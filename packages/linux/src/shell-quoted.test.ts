import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { shellQuoted } from './shell-quoted.ts';

test.each(['plain', '', "it's", 'a b', '$HOME', '`id`', 'x=1', '~', '*', 'a\nb', '\\', ';', "''"])(
  'a shell reads %j back',
  (word) => {
    const output = execFileSync('sh', ['-c', `printf %s: ${shellQuoted(word)} ${shellQuoted(word)}`], { cwd: '/' });
    expect(output.toString()).toBe(`${word}:${word}:`);
  },
);

test('plain words stay as they are', () => {
  expect(shellQuoted('dir/Dockerfile.v1')).toBe('dir/Dockerfile.v1');
});
