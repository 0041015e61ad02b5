import { resolve } from 'node:path';
import { specOf, type TargetAttributes } from '@tbuild/bake';
import { TbuildError } from '@tbuild/errors';
import { isBelow, realPath } from '@tbuild/linux';
import { goBool } from '@tbuild/oci';
import type { BuildSpec, Permission } from '@tbuild/spec';
import type { Environment } from '../config/environment.ts';
import { grantsIn, permissionOf } from '../flags/build-spec.ts';
import { parseFields } from '../flags/fields.ts';
import { mayBePath } from '../request/context-source.ts';
import { fileOfSecret } from '../request/secrets.ts';
import { isUrl, schemedContext } from '../request/sources.ts';
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

/**
 * Returns the places outside of the working directory that a target reads or writes. Takes them from what the build gets,
 * and not from the file, which may write one setting in several ways.
 */
function placesOf(target: TargetAttributes, { cwd }: Environment): Place[] {
  const { spec, secrets } = specOf(target);
  const local = (texts: readonly unknown[] = []) =>
    texts.map((text) => parseFields(String(text), 'cache')).filter(({ type }) => type === 'local');
  const reads = [
    ...contextPlaces(spec, cwd),
    ...secrets.map(fileOfSecret),
    ...Object.values(spec.ssh ?? {}).flat(),
    ...local(spec.cacheFrom).map(({ src }) => src),
  ];
  const writes = [
    ...(spec.outputs ?? []).map((output) => parseFields(String(output), '--output').dest),
    ...local(spec.cacheTo).map(({ dest }) => dest),
  ];
  const outside =
    (kind: Place['kind']) =>
    (path: unknown): Place[] => {
      if (typeof path !== 'string' || path === '-') return [];
      const full = realPath(resolve(cwd, path));
      return isWithin(full, realPath(cwd)) ? [] : [{ kind, path: full }];
    };
  return [...reads.flatMap(outside('fs.read')), ...writes.flatMap(outside('fs.write'))];
}

function contextPlaces({ context, contexts = {}, dockerfile }: BuildSpec, cwd: string): string[] {
  const named = Object.values(contexts).flatMap((source) => {
    const schemed = schemedContext(source, cwd);
    if (schemed === undefined) return mayBePath(source) ? [source] : [];
    return schemed.kind === 'layout' ? [schemed.path] : [];
  });
  const isLocal = mayBePath(context);
  const file = typeof dockerfile === 'string' && !isUrl(dockerfile) ? dockerfile : undefined;
  return [
    ...named,
    ...(isLocal ? [context] : []),
    ...(file !== undefined && (isLocal || file.startsWith('/')) ? [file] : []),
  ];
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || isBelow(path, directory);
}

function missingGrant({ kind, path }: Place, grants: readonly string[], { cwd }: Environment): Grant[] {
  const isGranted = grants.some((grant) => {
    const [, name, granted = ''] = /^(fs(?:\.read|\.write)?)=(.*)$/.exec(grant) ?? [];
    return (name === 'fs' || name === kind) && (granted === '*' || isWithin(path, realPath(resolve(cwd, granted))));
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
