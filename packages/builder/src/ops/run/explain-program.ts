import { closeSync, openSync, readSync } from 'node:fs';
import { type FileTree, resolvePath, typeOf } from '@tbuild/context';
import type { Platform } from '@tbuild/oci';

/** Where a program lies, and where it has to run. */
export interface ProgramPlace {
  readonly tree: FileTree;
  readonly platform: Platform;
}

/** Returns why the kernel cannot start a program of the tree, as a hint; undefined if nothing is wrong with it. */
export function explainProgram(path: string, { tree, platform }: ProgramPlace): string | undefined {
  const entry = tree.stat(path);
  const shown = JSON.stringify(`/${path}`);
  const type = entry && typeOf(entry.stats);
  if (type === 'directory') return `Name a program in ${shown}, which is a directory`;
  if (entry === undefined || type !== 'file') return undefined;
  const head = readHead(entry.location);
  const has = (file: string): boolean => resolvePath(tree, file, { followLast: true }) !== undefined;
  if (head.subarray(0, 2).toString('latin1') === '#!') {
    const hint = explainScript(shown, head, has);
    if (hint !== undefined) return hint;
  }
  if ((entry.stats.mode & 0o111) === 0)
    return `Make ${shown} executable: RUN chmod +x, or COPY --chmod=755 where it is copied`;
  if (head.readUInt32BE(0) === ELF_MAGIC) return explainElf(shown, head, { has, platform });
  return head.subarray(0, 2).toString('latin1') === '#!'
    ? undefined
    : `Begin ${shown} with the line #!/bin/sh, if it is a script: the kernel cannot tell what it is`;
}

const HEAD_BYTES = 4096;
const ELF_MAGIC = 0x7f454c46;

/** Reads the beginning, padded with zeros. */
export function readHead(location: string): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  const fd = openSync(location, 'r');
  try {
    readSync(fd, head, 0, HEAD_BYTES, 0);
  } finally {
    closeSync(fd);
  }
  return head;
}

function explainScript(shown: string, head: Buffer, has: (file: string) => boolean): string | undefined {
  const line = /^#!([^\n]*)/.exec(head.toString('latin1'))?.[1] ?? '';
  if (line.endsWith('\r'))
    return `Convert ${shown} to Unix line ends, for example with dos2unix: its lines end with CR LF`;
  const [interpreter = ''] = line.trim().split(/\s+/);
  if (interpreter === '' || has(interpreter)) return undefined;
  return `Install ${JSON.stringify(interpreter)}, which the first line of ${shown} names: the image lacks it`;
}

/** Names of architectures by the machine field of ELF. */
const MACHINES: Readonly<Record<number, string>> = {
  3: '386',
  8: 'mips',
  21: 'ppc64le',
  22: 's390x',
  40: 'arm',
  62: 'amd64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
};

interface ElfPlace {
  has(file: string): boolean;
  readonly platform: Platform;
}

function explainElf(shown: string, head: Buffer, { has, platform: { architecture } }: ElfPlace): string | undefined {
  const isLittle = head[5] === 1;
  const machine = MACHINES[isLittle ? head.readUInt16LE(18) : head.readUInt16BE(18)] ?? 'another processor';
  // Processors of amd64 run programs for 386.
  if (machine !== architecture && !(machine === '386' && architecture === 'amd64'))
    return `Use a program for ${architecture}: ${shown} is for ${machine}`;
  const loader = isLittle ? loaderOf(head) : undefined;
  if (loader === undefined || has(loader)) return undefined;
  return `Use a program built for the C library of this image, or link it statically: ${shown} needs ${JSON.stringify(loader)}, which the image lacks`;
}

const INTERPRETER_SEGMENT = 3;

/** Returns the dynamic loader that a little-endian ELF file names at its beginning, where linkers put it. */
export function loaderOf(head: Buffer): string | undefined {
  const is64 = head[4] === 2;
  const table = is64 ? Number(head.readBigUInt64LE(32)) : head.readUInt32LE(28);
  const size = head.readUInt16LE(is64 ? 54 : 42);
  const count = head.readUInt16LE(is64 ? 56 : 44);
  for (let at = table; at < table + size * count && at + (is64 ? 56 : 32) <= HEAD_BYTES; at += Math.max(size, 1)) {
    if (head.readUInt32LE(at) !== INTERPRETER_SEGMENT) continue;
    const start = is64 ? Number(head.readBigUInt64LE(at + 8)) : head.readUInt32LE(at + 4);
    const end = head.indexOf(0, start);
    return start >= HEAD_BYTES || end < 0 ? undefined : head.toString('latin1', start, end);
  }
  return undefined;
}
