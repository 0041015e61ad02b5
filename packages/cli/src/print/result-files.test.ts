import { expect, test } from 'vitest';
import { writeMetadata } from './result-files.ts';

test.each([
  ['/dev/full', 'SYSTEM', 'no space left on device'],
  ['/dev', 'USAGE', 'illegal operation on a directory'],
  ['/dev/null/file', 'USAGE', 'not a directory'],
])('a file %s that cannot be written is an error %s', (path, code, reason) => {
  const message = `Cannot write the file of --metadata-file, ${JSON.stringify(path)}: ${reason}`;
  expect(() => writeMetadata({}, { 'metadata-file': path }, '/')).toThrow(expect.objectContaining({ code, message }));
});
