import { type FileTree, resolvePath } from '@tbuild/context';
import { TbuildError } from '@tbuild/errors';
import { readLimitedFile } from '@tbuild/linux';
import type { ProcessUser } from '../executor.ts';

/**
 * Resolves the user of a RUN step: `user[:group]` by name or number, looked up in the tree's /etc/passwd and
 * /etc/group. Without a user it is root, which needs neither file to be readable.
 *
 * @throws TbuildError DOCKERFILE_SEMANTICS for an unknown name, or if the files cannot be read.
 */
export function resolveUser(tree: FileTree, spec: string | undefined): ProcessUser {
  try {
    return findProcessUser(tree, spec);
  } catch (error) {
    if ((spec ?? '') !== '' || !(error instanceof TbuildError)) throw error;
    return { uid: 0, gid: 0, groups: [0], home: '/' };
  }
}

function findProcessUser(tree: FileTree, spec: string | undefined): ProcessUser {
  const { user, group } = split(spec);
  const passwd = readPasswd(tree);
  if (isNumber(user) && group !== undefined && isNumber(group)) {
    // The numbers are used as given; HOME is that of the user with this number.
    return {
      uid: Number(user),
      gid: Number(group),
      groups: [Number(group)],
      home: passwd.find(({ uid }) => uid === Number(user))?.home || '/',
    };
  }
  const entry = findUser(passwd, user);
  if (entry === undefined && !isNumber(user)) throw unknownName('user', user);
  const groups = readGroups(tree);
  const gid = group === undefined ? (entry?.gid ?? 0) : requireGroup(groups, group);
  const further =
    group === undefined && entry !== undefined ? groups.filter(({ members }) => members.includes(entry.name)) : [];
  return {
    uid: entry?.uid ?? Number(user),
    gid,
    groups: [...new Set([gid, ...further.map((one) => one.gid)])],
    home: entry?.home || '/',
  };
}

/**
 * Resolves the owner for `--chown` or for a WORKDIR as BuildKit does. The group of a number is the same number, that of
 * a name its primary group, and an unknown user is root. An unknown group leaves the user's. The default is root.
 */
export function resolveOwner(tree: FileTree, spec: string | undefined): { readonly uid: number; readonly gid: number } {
  const { user, group } = split(spec);
  const entry = isNumber(user)
    ? { uid: Number(user), gid: Number(user) }
    : (findUser(readPasswd(tree), user) ?? { uid: 0, gid: 0 });
  return { uid: entry.uid, gid: (group === undefined ? undefined : findGroup(tree, group)) ?? entry.gid };
}

/** Splits `user[:group]`. @throws TbuildError DOCKERFILE_SEMANTICS for a number out of range. */
function split(spec = ''): { user: string; group?: string } {
  for (const part of spec.split(':')) if (/^\d+$/.test(part) && !isNumber(part)) throw outOfRange(part);
  const colon = spec.indexOf(':');
  const user = colon < 0 ? spec : spec.slice(0, colon);
  const group = colon < 0 ? '' : spec.slice(colon + 1);
  return { user: user === '' ? '0' : user, group: group === '' ? undefined : group };
}

function findGroup(tree: FileTree, group: string): number | undefined {
  return isNumber(group) ? Number(group) : readGroups(tree).find(({ name }) => name === group)?.gid;
}

function requireGroup(groups: readonly GroupEntry[], group: string): number {
  if (isNumber(group)) return Number(group);
  const entry = groups.find(({ name }) => name === group);
  if (entry === undefined) throw unknownName('group', group);
  return entry.gid;
}

/** Digits are always a number, even where a user has them as a name. */
function findUser(entries: readonly PasswdEntry[], user: string): PasswdEntry | undefined {
  return entries.find(isNumber(user) ? ({ uid }) => uid === Number(user) : ({ name }) => name === user);
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

function readPasswd(tree: FileTree): PasswdEntry[] {
  return readDatabase(tree, 'etc/passwd').flatMap(([name = '', , uid = '', gid = '', , home = '']) =>
    isNumber(uid) && isNumber(gid) ? [{ name, uid: Number(uid), gid: Number(gid), home }] : [],
  );
}

function readGroups(tree: FileTree): GroupEntry[] {
  return readDatabase(tree, 'etc/group').flatMap(([name = '', , gid = '', members = '']) =>
    isNumber(gid) ? [{ name, gid: Number(gid), members: members.split(',') }] : [],
  );
}

function readDatabase(tree: FileTree, path: string): string[][] {
  const resolved = resolvePath(tree, path, { followLast: true });
  const entry = resolved === undefined ? undefined : tree.stat(resolved);
  if (entry === undefined) return [];
  const text = readLimitedFile(entry.location, { what: `"/${path}" of the step's tree`, code: 'DOCKERFILE_SEMANTICS' });
  return (text ?? '')
    .toString()
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
}

/** The next number means "no change" in system calls. */
const LARGEST_ID = 2 ** 32 - 2;

function isNumber(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) <= LARGEST_ID;
}

function outOfRange(number: string): TbuildError {
  return new TbuildError(
    'DOCKERFILE_SEMANTICS',
    `User or group ${number} is out of range: uids and gids must be in range 0-${LARGEST_ID}`,
  );
}

function unknownName(kind: 'user' | 'group', name: string): TbuildError {
  return new TbuildError(
    'DOCKERFILE_SEMANTICS',
    `unable to find ${kind} ${name}: no matching entries in ${kind === 'user' ? 'passwd' : 'group'} file`,
  );
}
