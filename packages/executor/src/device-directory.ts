import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { DEVICES } from './sandbox-mounts.ts';

const LINKS: readonly (readonly [name: string, target: string])[] = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
  ['core', '/proc/kcore'],
  ['ptmx', 'pts/ptmx'],
];

/**
 * Makes the directory that becomes a step's /dev. Mode 0755: in a sticky, world-writable directory
 * opening a device with O_CREAT, as `>` does, would be refused.
 */
export function makeDeviceDirectory(path: string): void {
  mkdirSync(path, { mode: 0o755 });
  for (const name of ['pts', 'shm', 'mqueue']) mkdirSync(`${path}/${name}`, { mode: 0o755 });
  for (const name of DEVICES) writeFileSync(`${path}/${name}`, '');
  for (const [name, target] of LINKS) symlinkSync(target, `${path}/${name}`);
}
