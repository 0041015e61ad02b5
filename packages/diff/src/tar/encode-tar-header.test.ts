import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { encodeTarHeader } from './encode-tar-header.ts';
import { TarType, type TarEntry } from './tar-entry.ts';
import { headerCases } from './test-headers.ts';

/** What Go 1.24's archive/tar writes when it is called as containerd calls it. */
const golden = readFileSync(new URL('go-headers.tar', import.meta.url));

test("encodeTarHeader writes the same bytes as Go's archive/tar", () => {
  const plain: TarEntry = {
    name: '',
    type: TarType.file,
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    mtimeMs: 0,
    linkName: '',
    major: 0,
    minor: 0,
  };
  let at = 0;
  for (const entry of headerCases) {
    const header = encodeTarHeader({ ...plain, ...entry });
    expect(header.equals(golden.subarray(at, at + header.length)), `${entry.name} ${entry.linkName}`).toBe(true);
    at += header.length;
  }
  expect(at).toBe(golden.length);
});
