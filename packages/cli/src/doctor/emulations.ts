import { ARCHITECTURES, type Emulation, findEmulation } from '@tbuild/executor';
import { hostPlatform } from '@tbuild/oci';
import { storeLayout } from '@tbuild/store';
import { type Environment, searchPath } from '../config/environment.ts';
import type { Finding } from './finding.ts';

/** The architectures of most images get a line of their own. */
const USUAL: readonly string[] = ['amd64', 'arm64'];

/** Finds for which other architectures steps can run, and how. */
export async function emulations(root: string, env: Environment): Promise<Finding[]> {
  const host = hostPlatform(process.platform, process.arch);
  const options = { directory: storeLayout(root).run, host, searchPath: searchPath(env) };
  const found = await Promise.all(
    ARCHITECTURES.filter((architecture) => architecture !== host.architecture).map(
      async (architecture) => [architecture, await findEmulation({ os: host.os, architecture }, options)] as const,
    ),
  );
  const others = found.filter(([architecture]) => !USUAL.includes(architecture));
  return [
    ...found
      .filter(([architecture]) => USUAL.includes(architecture))
      .map(([name, emulation]) => lineOf(name, emulation)),
    { name: 'RUN for others', state: 'good', detail: summaryOf(others) },
  ];
}

function lineOf(architecture: string, emulation: Emulation): Finding {
  const name = `RUN for ${architecture}`;
  switch (emulation.kind) {
    case 'native':
      return { name, state: 'good', detail: 'by this machine, or by a handler registered with binfmt_misc' };
    case 'bound':
      return {
        name,
        state: 'good',
        detail: `by the registered "${emulation.emulator}", which is added to the tree of steps`,
      };
    case 'registered':
      return { name, state: 'good', detail: `by "${emulation.emulator}", which each step registers for itself` };
    case 'none':
      return { name, state: 'limited', ...lackOf(emulation) };
  }
}

function lackOf({ emulator, reason }: Extract<Emulation, { kind: 'none' }>): Pick<Finding, 'detail' | 'fix'> {
  if (emulator === undefined)
    return {
      detail: 'there is no emulator',
      fix: 'apt install qemu-user-static (as root; the package of the machine or container that tbuild runs in)',
    };
  return {
    detail: `"${emulator}" is not registered with binfmt_misc, and steps cannot register it themselves: ${reason}`,
    fix: 'apt install qemu-user-binfmt (as root, on the machine itself)',
  };
}

function summaryOf(found: readonly (readonly [architecture: string, emulation: Emulation])[]): string {
  const names = (possible: boolean): string =>
    found
      .filter(([, { kind }]) => (kind !== 'none') === possible)
      .map(([name]) => name)
      .join(', ') || 'none';
  return `possible: ${names(true)}; not: ${names(false)}`;
}
