import { readFileSync } from 'node:fs';

export interface OrdinaryUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** The user with subordinate ids that `fixtures/setup.sh test` makes when it runs as root. */
export function ordinaryUser(): OrdinaryUser {
  const name = 'tbuild-test';
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`There is no user ${name}: run fixtures/setup.sh test as root`);
  const [, , uid, gid, , home] = line.split(':');
  return { name, uid: Number(uid), gid: Number(gid), home: home! };
}
