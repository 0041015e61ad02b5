import { relative, resolve } from 'node:path';
import { isRemote, type TargetAttributes } from '@tbuild/bake';
import { TbuildError } from '@tbuild/errors';
import { goBool } from '@tbuild/oci';
import type { Permission } from '@tbuild/spec';
import type { Environment } from '../config/environment.ts';
import { grantsIn, permissionOf } from '../flags/build-spec.ts';
import { agrees } from '../services/ask.ts';

/** What the targets of a bake ask for and a user has to grant: `fs.read=/etc`, `network.host`. */
export type Grant = string;

interface Place {
  readonly kind: 'fs.read' | 'fs.write';
  readonly path: string;
}

/**
 * Makes sure that the user allows what the targets ask for. Asks once, on a terminal.
 * @throws TbuildError BAKE_FILE for what is not granted, USAGE for an unknown permission.
 */
export async function requireGrants(
  targets: Iterable<TargetAttributes>,
  allowed: readonly string[],
  env: Environment,
): Promise<readonly Permission[]> {
  const grants = allowed.flatMap(grantsIn);
  const permissions = grants.filter((text) => !isPlace(text)).map(permissionOf);
  const all = [...targets];
  const missing = [
    ...new Set([
      ...all
        .flatMap(({ entitlements = [] }) => entitlements)
        .filter((name) => !permissions.some((one) => one === name)),
      ...(checksPlaces(env) ? all.flatMap((target) => placesOf(target, env)) : []).flatMap((place) =>
        missingGrant(place, grants, env),
      ),
    ]),
  ];
  if (missing.length === 0) return permissions;
  if (!(await asksAndGets(missing, env))) throw refused(missing);
  return [...permissions, ...missing.filter((text) => !isPlace(text)).map(permissionOf)];
}

const isPlace = (text: string): boolean => /^fs(\.read|\.write)?=/.test(text);

function checksPlaces({ variables }: Environment): boolean {
  return goBool(variables.BUILDX_BAKE_ENTITLEMENTS_FS) !== false;
}

/** Returns the places outside of the working directory that a target reads or writes. */
function placesOf(target: TargetAttributes, { cwd }: Environment): Place[] {
  const reads = [
    ...contextPlaces(target),
    ...(target.secret ?? []).map(({ src }) => src),
    ...(target.ssh ?? []).flatMap(({ paths }) => paths),
    ...(target['cache-from'] ?? []).flatMap(({ type, src }) => (type === 'local' ? [src] : [])),
  ];
  const writes = [
    ...(target.output ?? []).map(({ dest }) => dest),
    ...(target['cache-to'] ?? []).flatMap(({ type, dest }) => (type === 'local' ? [dest] : [])),
  ];
  const outside =
    (kind: Place['kind']) =>
    (path: unknown): Place[] => {
      if (typeof path !== 'string' || path === '-') return [];
      const full = resolve(cwd, path);
      return isWithin(full, cwd) ? [] : [{ kind, path: full }];
    };
  return [...reads.flatMap(outside('fs.read')), ...writes.flatMap(outside('fs.write'))];
}

function contextPlaces({ context = '.', contexts = {}, dockerfile = '' }: TargetAttributes): string[] {
  const named = Object.values(contexts).flatMap((source) => source ?? []);
  const local = [context, ...named]
    .map((source) => source.replace(/^(cwd|oci-layout):\/\//, ''))
    .filter((source) => !isRemote(source));
  return [...local, ...(dockerfile.startsWith('/') ? [dockerfile] : [])];
}

function isWithin(path: string, directory: string): boolean {
  const inside = relative(directory, path);
  return inside === '' || (!inside.startsWith('..') && !inside.startsWith('/'));
}

function missingGrant({ kind, path }: Place, grants: readonly string[], { cwd }: Environment): Grant[] {
  const isGranted = grants.some((grant) => {
    const [, name, granted = ''] = /^(fs(?:\.read|\.write)?)=(.*)$/.exec(grant) ?? [];
    return (name === 'fs' || name === kind) && (granted === '*' || isWithin(path, resolve(cwd, granted)));
  });
  return isGranted ? [] : [`${kind}=${path}`];
}

/** Asks on a terminal. */
async function asksAndGets(missing: readonly Grant[], env: Environment): Promise<boolean> {
  if (env.stdin.isTTY !== true || env.stderr.isTTY !== true) return false;
  env.stderr.write(`The targets ask for permissions:\n${missing.map((grant) => ` - ${grant}\n`).join('')}`);
  return agrees('Grant them?', env);
}

function refused(missing: readonly Grant[]): TbuildError {
  const names = missing.map((grant) => JSON.stringify(grant)).join(', ');
  const flags = missing.map((grant) => `--allow ${grant}`).join(' ');
  return new TbuildError('BAKE_FILE', `The targets ask for what is not allowed: ${names}`, {
    hint: `Use ${flags} if you trust these files`,
  });
}
