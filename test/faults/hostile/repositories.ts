import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { createOutside } from '@tbuild/host';
import { checkOut, fetchCommit, resolveCommit, type GitRemote } from '@tbuild/sources';
import { storeLayout } from '@tbuild/store';
import type { Random } from '../../support/random.ts';
import type { HostileKind } from './hostile-kind.ts';

/** A file of a commit: its mode, its name as the tree has it, and its content or its own files. */
type Entry = readonly [mode: string, name: string, content: string | readonly Entry[]];

interface Repository {
  readonly entries: readonly Entry[];
  /** When its commit was made. */
  readonly time: string;
  readonly ref: string;
  readonly wanted?: string;
  readonly subdirectory?: string;
  readonly keepGitDir: boolean;
}

/** Repositories whose trees no git would write, with names, links, submodules and attributes that lead elsewhere. */
export const REPOSITORIES: readonly HostileKind<Repository>[] = [
  {
    name: 'git repositories',
    inputs: 4,
    make: (random) => ({
      entries: entriesOf(random, 0),
      time: random.pick(TIMES),
      ref: random.pick(REFS),
      wanted: random.int(4) === 0 ? random.pick(REFS) : undefined,
      subdirectory: random.pick([undefined, 'a', '..', 'link', '.git', 'a/../../..']),
      keepGitDir: random.int(2) === 0,
    }),
    async read({ entries, time, ref, wanted, subdirectory, keepGitDir }, { directory, signal }) {
      const at = (name: string) => join(directory, name);
      for (const name of ['store', 'target', 'scratch']) mkdirSync(at(name));
      writeRepository(at('remote'), { entries, time, ref });
      const { run: runProgram } = createOutside({ directory });
      const remote: GitRemote = { url: `file://${at('remote')}`, runProgram, signal };
      const commit = await resolveCommit(remote, { ref: wanted ?? ref }, directory);
      const git = { store: storeLayout(at('store')), now: Date.now };
      const mirror = await fetchCommit(commit.id, remote, git);
      const places = { mirror, scratch: at('scratch'), target: at('target') };
      await checkOut(remote, { commit, ...places, subdirectory, keepGitDir, submodules: true, commitTime: true });
      if (existsSync(at('ran'))) throw new Error('A command of the repository ran');
      if (!keepGitDir && readdirSync(at('target')).some((name) => name.toLowerCase() === '.git'))
        throw new Error('A directory of git is left');
    },
  },
];

const TIMES = ['1700000000', '1700000000', '0', '-1', '', '253402300800', '9'.repeat(23), '1e3', '2147483648'];
const REFS = ['refs/heads/main', 'refs/heads/-x', 'refs/heads/--upload-pack=x', 'refs/tags/v1', 'refs/x/../y', 'HEAD'];
const NAMES = [
  'a',
  'b',
  'link',
  '.git',
  '.GIT',
  '.git ',
  'git~1',
  '..',
  '.',
  '',
  'a/b',
  '../x',
  '-x',
  'é',
  '\ud83d',
  '.gitmodules',
  '.gitattributes',
];
const RUN = 'touch ../../ran; touch ../ran';
/** Contents of files, and targets of links. */
export const CONTENTS = [
  '',
  'text\n',
  '/etc',
  '../../../..',
  '.git/hooks',
  '.git/modules',
  '* filter=lfs ident export-subst text eol=crlf working-tree-encoding=UTF-16\n',
  '* filter=evil diff=evil merge=evil\n',
  ...[
    'file:///etc',
    `ext::sh -c "${RUN}"`,
    `--upload-pack=${RUN}`,
    `ssh://-oProxyCommand=${RUN}/x`,
    '../remote',
    'http://127.0.0.1:1/x',
  ].flatMap((url) => [
    `[submodule "a"]\n\tpath = a\n\turl = ${url}\n`,
    `[submodule "a"]\n\tpath = a\n\turl = ${url}\n\tupdate = !${RUN}\n`,
    `[submodule "../../x"]\n\tpath = link/x\n\turl = ${url}\n[submodule "a"]\n\tpath = a\n\turl = ${url}\n`,
  ]),
];
const SHA = 'd'.repeat(40);

function entriesOf(random: Random, depth: number): readonly Entry[] {
  const entries = Array.from({ length: 1 + random.int(5) }, (): Entry => {
    const mode = random.pick(['100644', '100755', '120000', '160000', depth < 3 ? '40000' : '100644', '100664', '0']);
    return [
      mode,
      random.int(4) === 0 ? random.pick(NAMES) : random.pick(['a', 'b', 'c', 'link']),
      mode === '40000' ? entriesOf(random, depth + 1) : random.pick(CONTENTS),
    ];
  });
  if (depth > 0) return entries;
  const modules: Entry = ['100644', '.gitmodules', random.pick(CONTENTS.slice(-18))];
  return random.int(2) === 0 ? entries : [modules, ['160000', 'a', SHA], ...entries];
}

/** Writes a bare repository, object by object. */
function writeRepository(
  directory: string,
  { entries, time, ref }: Pick<Repository, 'entries' | 'time' | 'ref'>,
): void {
  const write = (path: string, bytes: string | Uint8Array): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), bytes);
  };
  const put = (type: string, body: Uint8Array): string => {
    const bytes = Buffer.concat([Buffer.from(`${type} ${body.length}\0`), body]);
    const id = createHash('sha1').update(bytes).digest('hex');
    write(`objects/${id.slice(0, 2)}/${id.slice(2)}`, deflateSync(bytes));
    return id;
  };
  const idOf = (mode: string, content: Entry[2]): string => {
    if (mode === '160000') return SHA;
    return typeof content === 'string' ? put('blob', Buffer.from(content)) : tree(content);
  };
  const tree = (all: readonly Entry[]): string => {
    const rows = all.map(([mode, name, content]) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(idOf(mode, content), 'hex')]),
    );
    return put('tree', Buffer.concat(rows));
  };
  const person = `A <a@example.com> ${time} +0000`;
  const commit = put('commit', Buffer.from(`tree ${tree(entries)}\nauthor ${person}\ncommitter ${person}\n\nm\n`));
  write('HEAD', ref === 'HEAD' ? `${commit}\n` : `ref: ${ref}\n`);
  write('config', '[core]\n\trepositoryformatversion = 0\n\tbare = true\n');
  write('refs/heads/other', `${commit}\n`);
  write('packed-refs', `${commit} ${ref === 'HEAD' ? 'refs/heads/main' : ref}\n`);
}
