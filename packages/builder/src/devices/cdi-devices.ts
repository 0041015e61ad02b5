import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName, TbuildError } from '@tbuild/errors';
import type { RunDevice } from '@tbuild/graph';
import { readLimitedFile } from '@tbuild/linux';
import { goBool } from '@tbuild/oci';
import { type CdiDevice, readCdiSpec } from './cdi-spec.ts';

/**
 * Reads the devices of the specifications in directories; a later directory wins.
 * @throws TbuildError UNSUPPORTED for a specification that cannot be read.
 */
export async function readCdiDevices(directories: readonly string[]): Promise<readonly CdiDevice[]> {
  const devices = new Map<string, CdiDevice>();
  for (const directory of directories) {
    for (const name of filesIn(directory)) {
      const file = join(directory, name);
      for (const device of readCdiSpec(await parse(file), file)) devices.set(device.name, device);
    }
  }
  return [...devices.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const CLASS = 'org.mobyproject.buildkit.device.class';
const AUTO_ALLOW = 'org.mobyproject.buildkit.device.autoallow';

/** Returns the devices that a request names, as BuildKit does: one, the first or all of a kind, or those of a class. */
export function devicesNamed(request: string, devices: readonly CdiDevice[]): readonly CdiDevice[] {
  const [kind = '', name = ''] = request.split(/=(.*)/s);
  const ofKind = devices.filter((device) => device.name.startsWith(`${kind}=`));
  if (name === '') return kind.includes('/') ? ofKind.slice(0, 1) : devices.filter(hasClass(kind));
  if (name === '*') return ofKind;
  const exact = ofKind.filter((device) => device.name === request);
  return exact.length > 0 ? exact : ofKind.filter(hasClass(name));
}

/** Returns the requests with the devices that `--allow device=NAME,alias=ALIAS` gives for other names. */
export function withoutAliases(requests: readonly RunDevice[], allowed: Iterable<string>): readonly RunDevice[] {
  const names = new Map(
    [...allowed].flatMap((grant) => {
      const [, name = '', alias] = /^device=(.*),alias=(.*)$/.exec(grant) ?? [];
      return alias === undefined ? [] : [[alias, name] as const];
    }),
  );
  return requests.map((request) => ({ ...request, name: names.get(request.name) ?? request.name }));
}

function hasClass(name: string): (device: CdiDevice) => boolean {
  return ({ annotations }) => annotations[CLASS] === name;
}

/** Returns the entitlement that a request needs; undefined if its specification gives the device to everybody. */
export function deviceEntitlement(
  request: RunDevice,
  devices: readonly CdiDevice[],
  allowed: ReadonlySet<string>,
): `device=${string}` | undefined {
  const { name } = request;
  // An alias is a grant.
  if (withoutAliases([request], allowed).some((device) => device.name !== name)) return undefined;
  const found = devicesNamed(name, devices);
  const isAllowed = (one: string): boolean =>
    ['device', `device=${one}`, `device=${one.split('=', 1)[0] ?? ''}`].some((entitlement) => allowed.has(entitlement));
  if (isAllowed(name)) return undefined;
  const isFree = ({ name: one, annotations }: CdiDevice): boolean =>
    isAllowed(one) || goBool(annotations[AUTO_ALLOW] ?? '') === true;
  return found.length > 0 && found.every(isFree) ? undefined : `device=${name}`;
}

function filesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => /\.(?:json|ya?ml)$/.test(name))
      .sort();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoName(error) ?? '')) return [];
    throw error;
  }
}

async function parse(file: string): Promise<unknown> {
  const what = `CDI specification ${JSON.stringify(file)}`;
  const text = (readLimitedFile(file, { what, code: 'UNSUPPORTED' }) ?? '').toString();
  try {
    if (file.endsWith('.json')) return JSON.parse(text);
    return (await import('./parse-yaml.ts')).parseYaml(text);
  } catch (cause) {
    throw new TbuildError('UNSUPPORTED', `${what} is not ${file.endsWith('.json') ? 'JSON' : 'YAML'}`, { cause });
  }
}
