import { expect, test } from 'vitest';
import { parseGitSource } from './git-source.ts';

const cases: [text: string, source: unknown][] = [
  ['https://h/r.git', { url: 'https://h/r.git' }],
  ['https://h/r.git#v1', { url: 'https://h/r.git', ref: 'v1' }],
  ['https://h/r.git#v1:sub/dir', { url: 'https://h/r.git', ref: 'v1', subdirectory: 'sub/dir' }],
  ['https://h/r.git#:sub', { url: 'https://h/r.git', subdirectory: 'sub' }],
  ['git@h:o/r.git', { url: 'git@h:o/r.git' }],
  ['git@h:o/r#main', { url: 'git@h:o/r', ref: 'main' }],
  ['ssh://git@h/r', { url: 'ssh://git@h/r' }],
  ['git://h/r', { url: 'git://h/r' }],
  ['https://h/r.git?tag=v1&subdir=a', { url: 'https://h/r.git', ref: 'refs/tags/v1', subdirectory: 'a' }],
  ['https://h/r.git?branch=b&keep-git-dir=1', { url: 'https://h/r.git', ref: 'refs/heads/b', keepGitDir: true }],
  ['https://h/r.git?submodules=false&commit=ab', { url: 'https://h/r.git', submodules: false, checksum: 'ab' }],
  ['https://h/r.git?tag=a&branch=b', { wrong: 'it names both a tag and a branch' }],
  ['https://h/r.git?ref=a#b', { wrong: 'it names several refs' }],
  ['https://h/r.git?colour=red', { wrong: 'the query "colour" is not known' }],
  ['https://h/r.git?mtime=commit', { url: 'https://h/r.git', commitTime: true }],
  ['https://h/r.git?mtime=checkout', { url: 'https://h/r.git', commitTime: false }],
  ['https://h/r.git?mtime=now', { wrong: 'the query "mtime" is neither checkout nor commit' }],
  ['https://h/r.git?ref=', { wrong: 'the query "ref" has no value' }],
  ['https://h/r.git?submodules=maybe', { wrong: 'the query "submodules" has the invalid value "maybe"' }],
  ['https://h/r.git?keep-git-dir', { url: 'https://h/r.git', keepGitDir: true }],
  ['git@h:o/r?subdir=a&ref=b', { url: 'git@h:o/r', subdirectory: 'a', ref: 'b' }],
  ['git@h:o/r.git?tag=v1#refs/tags/v1:d', { url: 'git@h:o/r.git', ref: 'refs/tags/v1', subdirectory: 'd' }],
  [
    `https://h/r.git?fetch-by-commit&commit=${'a'.repeat(40)}#v1`,
    { url: 'https://h/r.git', ref: 'v1', checksum: 'a'.repeat(40), byCommit: true },
  ],
  ['https://h/r.git?fetch-by-commit=0&commit=ab', { url: 'https://h/r.git', checksum: 'ab' }],
  ['https://h/r.git?fetch-by-commit=x', { wrong: 'the query "fetch-by-commit" has the invalid value "x"' }],
  [
    'https://h/r.git?fetch-by-commit&commit=ab',
    { wrong: 'the query "fetch-by-commit" needs a full commit ID in "commit"' },
  ],
  ['https://h/file.tar.gz', undefined],
  ['https://h/r.git/archive', undefined],
  ['github.com/x/y', undefined],
  ['./git@h', undefined],
  ['src', undefined],
];

test.each(cases)('%s', (text, source) => {
  expect(parseGitSource(text)).toEqual(source);
});
