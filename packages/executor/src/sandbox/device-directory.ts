import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { errnoName } from '@tbuild/errors';
import { DEVICES, makeDevice } from './devices.ts';

const LINKS: readonly (readonly [name: string, target: string])[] = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
  ['core', '/proc/kcore'],
  ['ptmx', 'pts/ptmx'],
];

/**
 * Creates the directory that becomes a step's /dev. Its mode is 0755: in a sticky, world-writable directory the
 * kernel would refuse to open a device with O_CREAT, as `>` does. If device nodes cannot be made or would not work,
 * the devices are empty files, whose names are returned.
 */
export function makeDeviceDirectory(path: string, { nodes }: { readonly nodes: boolean }): readonly string[] {
  mkdirSync(path, { mode: 0o755 });
  for (const name of ['pts', 'shm', 'mqueue']) mkdirSync(`${path}/${name}`, { mode: 0o755 });
  for (const [name, target] of LINKS) if (name !== 'core' || existsSync(target)) symlinkSync(target, `${path}/${name}`);
  if (nodes && tryMakeNodes(path)) return [];
  const names = DEVICES.map(({ name }) => name);
  for (const name of names) writeFileSync(`${path}/${name}`, '');
  return names;
}

function tryMakeNodes(path: string): boolean {
  try {
    for (const device of DEVICES) makeDevice(`${path}/${device.name}`, device);
    return true;
  } catch (error) {
    if (errnoName(error) === 'EPERM') return false;
    throw error;
  }
}
