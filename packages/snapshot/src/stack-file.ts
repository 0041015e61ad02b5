import { basename } from 'node:path';
import { crc32 } from 'node:zlib';
import { readText } from '@tbuild/store';

export const SNAPSHOT_NAME = /^[A-Za-z0-9][A-Za-z0-9:._-]*$/;

/** Returns the text of `snapshots/<name>/stack`: the names of the snapshots, bottom first, then a checksum. */
export function encodeStack(name: string, stack: readonly string[]): string {
  const lines = stack.map((line) => `${line}\n`).join('');
  return `${lines}checksum ${checksumOf(name, lines)}\n`;
}

/**
 * Returns the names of the snapshots whose changes make up a tree, bottom first. Returns undefined when the file in the
 * tree's directory is missing, damaged, or that of another tree.
 */
export function readStack(directory: string): readonly string[] | undefined {
  const [, lines, checksum] = FILE.exec(readText(`${directory}/stack`) ?? '') ?? [];
  if (lines === undefined || Number(checksum) !== checksumOf(basename(directory), lines)) return undefined;
  return lines.split('\n').slice(0, -1);
}

const FILE = /^((?:.+\n)*)checksum (\d+)\n$/;

function checksumOf(name: string, lines: string): number {
  return crc32(`${name}\n${lines}`);
}
