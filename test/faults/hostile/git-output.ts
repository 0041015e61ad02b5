import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkOut, contentFilters, fetchCommit, type GitRemote, resolveCommit } from '@tbuild/sources';
import { storeLayout } from '@tbuild/store';
import type { Random } from '../../support/random.ts';
import type { HostileKind } from './hostile-kind.ts';
import { mutateBytes, mutateText } from './mutate.ts';
import { GIT_PIECES } from './pieces.ts';
import { CONTENTS } from './repositories.ts';

/** What git prints, and the files that it checks out, for one repository. */
interface GitOutput {
  readonly references: string;
  readonly listing: string;
  readonly time: string;
  readonly settings: string;
  /** The command that fails once, or always, and what it complains about. */
  readonly failing?: string;
  readonly complaint: string;
  readonly files: readonly (readonly [path: string, kind: 'file' | 'directory' | 'link', content: string])[];
  readonly packed: number;
  readonly wanted?: string;
  readonly checksum?: string;
  readonly subdirectory?: string;
  readonly keepGitDir: boolean;
}

/** What tbuild itself reads of git repositories: what git prints of them, and the trees that it writes. */
export const GIT_OUTPUT: readonly HostileKind<GitOutput>[] = [
  {
    name: 'outputs of git',
    make(random) {
      const sometimes = (texts: readonly string[]): string =>
        random.int(4) === 0 ? mutateText(texts, GIT_PIECES, random) : random.pick(texts);
      return {
        references: sometimes(REFERENCES),
        listing: sometimes([LISTING]),
        time: sometimes(['1700000000\n']),
        settings: sometimes([SETTINGS]),
        failing: random.int(3) === 0 ? random.pick(COMMANDS) : undefined,
        complaint: mutateBytes(Buffer.from(sometimes(COMPLAINTS)), random).toString('latin1'),
        files: filesOf(random),
        packed: random.pick([0, 10, 10, 10, 5000]),
        wanted: random.pick([undefined, undefined, 'main', ID, 'refs/heads/main', random.pick(['v1', '-x', 'dddd'])]),
        checksum: random.pick([undefined, undefined, undefined, 'dd', 'DDD', 'e']),
        subdirectory: random.pick([
          undefined,
          undefined,
          'a',
          '..',
          random.pick(['link', '.git', 'a/../../..', 'a/b']),
        ]),
        keepGitDir: random.int(2) === 0,
      };
    },
    async read(output, { directory, signal }) {
      const at = (name: string) => join(directory, name);
      for (const name of ['store', 'target', 'scratch']) mkdirSync(at(name));
      const limits = { size: 2000, entries: 30, memory: 1000, free: 0, directory };
      const runProgram = gitThatSays(output, join(at('scratch'), 'tree'));
      const remote: GitRemote = { url: 'https://user@git.example/a.git', runProgram, limits, signal };
      const wanted = { ref: output.wanted, checksum: output.checksum };
      const commit = await resolveCommit(remote, wanted, directory);
      await contentFilters(remote, directory);
      const mirror = await fetchCommit(commit.id, remote, { store: storeLayout(at('store')), now: Date.now });
      const { subdirectory, keepGitDir } = output;
      const places = { mirror, scratch: at('scratch'), target: at('target') };
      await checkOut(remote, { commit, ...places, subdirectory, keepGitDir, submodules: true, commitTime: true });
    },
  },
];

const ID = 'd'.repeat(40);
const COMMANDS = [
  'ls-remote',
  'init',
  'cat-file',
  'fetch',
  'rev-list',
  'ls-tree',
  'checkout',
  'show',
  'submodule',
  'config',
];
const REFERENCES = [
  `ref: refs/heads/main\tHEAD\n${ID}\tHEAD\n${ID}\trefs/heads/main\n`,
  `${'e'.repeat(40)}\trefs/tags/v1\n${ID}\trefs/tags/v1^{}\n${ID}\trefs/heads/main\n`,
  `${'d'.repeat(64)}\tHEAD\n`,
];
const LISTING = [
  `100644 blob ${ID}      12\ta`,
  `040000 tree ${ID}       -\tb`,
  `100644 blob ${ID} 300\tb/c`,
  `160000 commit ${ID} -\td`,
].join('\0');
const SETTINGS =
  'user.name\na\0filter.lfs.smudge\ngit-lfs smudge -- %f\0filter.lfs.required\ntrue\0lfs.fetchinclude\n*\0';
const COMPLAINTS = [
  "fatal: repository 'https://git.example/a.git/' not found\n",
  'fatal: could not read Username for https://git.example: terminal prompts disabled\n',
  'remote: \u001b[31mno\nfatal: unable to access: Could not resolve host: git.example\n',
  'ssh: connect to host git.example port 22: Connection refused\nfatal: the remote end hung up unexpectedly\n',
  'error: RPC failed; HTTP 404 curl 22 The requested URL returned error: 404\n',
];

/** Runs no program, but does and prints what git would for a repository. */
function gitThatSays(output: GitOutput, tree: string): GitRemote['runProgram'] {
  let failures = 0;
  return async (args, { output: take }) => {
    const name = args.find((arg) => COMMANDS.includes(arg)) ?? '';
    // Where the fetch brings nothing, only the first call fails.
    if (name === output.failing && (output.packed > 0 || failures++ === 0))
      return { exitCode: 128, stdout: Buffer.alloc(0), stderr: Buffer.from(output.complaint, 'latin1') };
    const place = args.find((arg) => arg.startsWith('--git-dir='))?.slice('--git-dir='.length) ?? args.at(-1)!;
    if (name === 'init')
      mkdirSync(join(place, place === tree ? '.git/objects/info' : 'objects/pack'), { recursive: true });
    if (name === 'init' && place !== tree) writeFileSync(join(place, 'HEAD'), '');
    if (name === 'fetch' && place !== tree && args.includes('--quiet') && place.includes('store'))
      writeFileSync(join(place, 'objects/pack/pack'), Buffer.alloc(output.packed));
    if (name === 'checkout') writeTree(tree, output.files);
    const printed =
      { 'ls-remote': output.references, 'ls-tree': output.listing, show: output.time, config: output.settings }[name] ??
      '';
    const stdout = Buffer.from(printed);
    if (take === undefined) return { exitCode: name === 'cat-file' ? 1 : 0, stdout, stderr: Buffer.alloc(0) };
    for (let start = 0; start < stdout.length; start += 50) await take(stdout.subarray(start, start + 50));
    return { exitCode: 0, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  };
}

/** Writes what git can check out: no two files have one path, and none is below a link. */
function writeTree(root: string, files: GitOutput['files']): void {
  const ends: string[] = [];
  for (const [path, kind, content] of files) {
    const place = join(root, path);
    if (ends.some((end) => `${path}/`.startsWith(end)) || existsSync(place)) continue;
    mkdirSync(kind === 'directory' ? place : dirname(place), { recursive: true });
    if (kind !== 'directory') ends.push(`${path}/`);
    if (kind === 'file') writeFileSync(place, content);
    if (kind === 'link') symlinkSync(content, place);
  }
}

const PARTS = ['a', 'b', 'link', '.gitmodules', '.gitattributes', 'é', '-x', '.GIT', 'sub'];

function filesOf(random: Random): GitOutput['files'] {
  return Array.from({ length: random.int(8) }, () => {
    const path = Array.from({ length: 1 + random.int(3) }, () => random.pick(PARTS)).join('/');
    // A submodule has a file of this name.
    if (random.int(8) === 0)
      return [`${path}/.git`, random.pick(['file', 'directory'] as const), 'gitdir: /etc\n'] as const;
    const kind = random.pick(['file', 'file', 'directory', 'link'] as const);
    return [
      path,
      kind,
      kind === 'link' ? random.pick(['/', '..', '../../..', 'a', 'link', '.git']) : random.pick(CONTENTS),
    ] as const;
  });
}
