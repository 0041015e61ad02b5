import type { CopyOp } from '@tbuild/graph';
import { expect, test } from 'vitest';
import { planText } from '../../test/plan-text.ts';
import { resolveDestination } from './copy.ts';

async function planCopy(text: string): Promise<{ op: CopyOp; createdBy?: string; kinds: string[] }> {
  const { steps, plan } = await planText(text);
  const op = steps.map((step) => step.op).findLast((candidate) => candidate.kind === 'copy');
  if (op === undefined) throw new Error('There is no COPY');
  return { op, createdBy: plan.history.at(-1)?.createdBy, kinds: steps.map((step) => step.op.kind) };
}

const destinations: [cwd: string, written: string, resolved: string][] = [
  ['/', '.', '/'],
  ['/srv', '.', '/srv/'],
  ['/srv', './', '/srv/'],
  ['/srv', 'a', '/srv/a'],
  ['/srv', 'a/', '/srv/a/'],
  ['/srv', 'a/.', '/srv/a/'],
  ['/srv', '/a//b/../c', '/a/c'],
  ['/srv', '../..', '/'],
  ['/srv', '', '/srv/'],
];

test.each(destinations)('in the directory %s, the destination %j is %s', (cwd, written, resolved) => {
  expect(resolveDestination(cwd, written)).toBe(resolved);
});

const context = { kind: 'context', name: 'context' };
const plain = { kind: 'copy', from: context, exclude: [], parents: false, unpack: false, keepOwner: false };
const ops: [name: string, line: string, op: object, createdBy: string][] = [
  [
    'paths',
    'COPY ./a /../b/ $MODE *.txt d/',
    { ...plain, sources: ['a', 'b', 'base', '*.txt'], destination: '/srv/d/' },
    'COPY ./a /../b/ base *.txt d/ # buildkit',
  ],
  ['the context', 'COPY . .', { ...plain, sources: [''], destination: '/srv/' }, 'COPY . . # buildkit'],
  ['JSON', 'COPY ["a b", "c"]', { ...plain, sources: ['a b'], destination: '/srv/c' }, 'COPY a b c # buildkit'],
  [
    'ADD',
    'ADD a.tar /x/',
    { ...plain, sources: ['a.tar'], destination: '/x/', unpack: true },
    'ADD a.tar /x/ # buildkit',
  ],
  [
    'ADD as it is',
    'ADD --unpack=false a.tar /x/',
    { ...plain, sources: ['a.tar'], destination: '/x/' },
    'ADD a.tar /x/ # buildkit',
  ],
  [
    'owner and mode',
    'COPY --chmod=0755 --chown=$MODE:1 a /b',
    { ...plain, sources: ['a'], destination: '/b', chown: 'base:1', chmod: 0o755 },
    'COPY --chown=base:1 --chmod=0755 a /b # buildkit',
  ],
  [
    'symbolic mode',
    'COPY --chmod=u=rwX,go=rX a /b',
    { ...plain, sources: ['a'], destination: '/b', chmod: 'u=rwX,go=rX' },
    'COPY --chmod=u=rwX,go=rX a /b # buildkit',
  ],
  [
    'parents',
    'COPY --parents a/./b/*.c /x/../y/z.c /d/',
    { ...plain, sources: ['a/./b/*.c', 'y/z.c'], destination: '/d/', parents: true },
    'COPY --parents a/./b/*.c /x/../y/z.c /d/ # buildkit',
  ],
  [
    'exclude',
    'COPY --exclude=*.log --exclude=$x . /d',
    { ...plain, sources: [''], destination: '/d', exclude: ['*.log', '$x'] },
    'COPY . /d # buildkit',
  ],
  [
    'from an image',
    'COPY --from=busybox /bin/sh /sh',
    { ...plain, from: { kind: 'step', source: 0 }, sources: ['bin/sh'], destination: '/sh', keepOwner: true },
    'COPY /bin/sh /sh # buildkit',
  ],
  [
    'from nothing',
    'COPY --from=scratch / /',
    { ...plain, from: { kind: 'inline', files: [] }, sources: [''], destination: '/' },
    'COPY / / # buildkit',
  ],
  [
    'heredoc',
    'COPY <<A /d\n$MODE "x" \\$y\nA',
    {
      ...plain,
      from: { kind: 'inline', files: [{ name: 'A', content: 'base "x" $y\n' }] },
      sources: ['A'],
      destination: '/d',
    },
    'COPY <<A /d # buildkit',
  ],
  [
    'quoted heredoc',
    'COPY <<"A" /d\n$MODE\nA',
    {
      ...plain,
      from: { kind: 'inline', files: [{ name: 'A', content: '$MODE\n' }] },
      sources: ['A'],
      destination: '/d',
    },
    'COPY <<A /d # buildkit',
  ],
  [
    'heredoc and file',
    'COPY <<A b /d/\nx\nA',
    {
      ...plain,
      sources: ['b'],
      destination: '/d/',
      more: [
        {
          from: { kind: 'inline', files: [{ name: 'A', content: 'x\n' }] },
          sources: ['A'],
          unpack: false,
          keepOwner: false,
        },
      ],
    },
    'COPY b <<A /d/ # buildkit',
  ],
  [
    'URL',
    'ADD https://h/p/a%20b?q=1 /d/',
    { ...plain, from: { kind: 'step', source: 0 }, sources: ['a b'], destination: '/d/' },
    'ADD https://h/p/a%20b?q=1 /d/ # buildkit',
  ],
  [
    'git',
    'ADD https://h/r.git#main:sub /d',
    { ...plain, from: { kind: 'step', source: 0 }, sources: [''], destination: '/d' },
    'ADD https://h/r.git#main:sub /d # buildkit',
  ],
  [
    'link with a mode is a plain copy',
    'COPY --link --chmod=755 a /b',
    { ...plain, sources: ['a'], destination: '/b', chmod: 0o755 },
    'COPY --chmod=755 a /b # buildkit',
  ],
];

test.each(ops)('the copy is lowered: %s', async (_name, line, op, createdBy) => {
  const planned = await planCopy(`FROM app\n${line}`);
  expect(planned.op).toEqual(op);
  expect(planned.createdBy).toBe(createdBy);
});

test('several kinds of sources in one ADD are one step', async () => {
  const { op, kinds } = await planCopy('FROM app\nADD a https://h/x https://h/y https://h/r.git b /d/');
  expect(kinds).toEqual(['image', 'http', 'http', 'git', 'copy']);
  expect([op, ...(op.more ?? [])].map(({ from, sources }) => [from, sources])).toEqual([
    [context, ['a']],
    [{ kind: 'step', source: 0 }, ['x']],
    [{ kind: 'step', source: 1 }, ['y']],
    [{ kind: 'step', source: 2 }, ['']],
    [context, ['b']],
  ]);
});

test('a fetched source carries its checksum', async () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const url = await planText(`FROM app\nADD --checksum=${digest} https://h/x /d/`);
  expect(url.steps[1]?.op).toEqual({ kind: 'http', url: 'https://h/x', filename: 'x', checksum: digest });
  const git = await planText('FROM app\nADD --checksum=abc --keep-git-dir git@h:r.git /d/');
  expect(git.steps[1]?.op).toEqual({
    kind: 'git',
    url: 'git@h:r.git',
    keepGitDir: true,
    submodules: true,
    checksum: 'abc',
  });
});

test('COPY --link copies into an empty tree and is stacked', async () => {
  const { steps, plan } = await planText('FROM app\nCOPY --link a /b');
  const [image, copy, stack] = steps;
  expect(copy?.base).toBeUndefined();
  expect(copy).toMatchObject({ op: { kind: 'copy' }, name: '[2/2] COPY --link a /b' });
  expect(stack).toMatchObject({
    op: { kind: 'stack' },
    base: image?.id,
    sources: [copy?.id],
    name: '[2/2] LINK COPY --link a /b',
  });
  expect(plan.target).toBe(stack?.id);
  expect((await planText('FROM app\nCOPY --link --chown=root:5 a /b')).steps).toHaveLength(3);
  expect((await planText('FROM scratch\nCOPY --link a /b')).steps.map(({ op }) => op.kind)).toEqual(['copy']);
});

const refused: [line: string, message: string, column: number][] = [
  ['COPY https://h/x /d', 'The source "https://h/x" of COPY is a URL', 6],
  ['COPY git@h:r.git /d', 'The source "git@h:r.git" of COPY is a git repository', 6],
  ['ADD https://h/r.git?x=1 /d', 'the query "x" is not known', 5],
  ['ADD --checksum=sha256:ab https://h/x /d', 'Checksum "sha256:ab" is not of the form', 16],
  ['ADD --checksum=sha256:ab a /d', 'A checksum needs a URL or a git repository as source', 16],
  ['ADD --checksum=sha256:ab https://h/a https://h/b /d', 'A checksum needs exactly one source', 16],
  ['COPY --chmod=9 a /d', 'Mode "9" is not valid', 14],
  ['COPY --chmod=17777 a /d', 'Mode "17777" is not valid', 14],
  ['COPY --link --chown=me a /d', 'The owner "me" cannot be looked up with --link', 21],
  ['COPY --from=9 a /d', 'Invalid stage index 9', 13],
  ['COPY --parents . /d', 'The source "." of COPY --parents is a whole tree', 16],
  ['COPY --parents / /d', 'The source "/" of COPY --parents is a whole tree', 16],
  ['COPY --parents a/./ /d', 'The source "a/./" of COPY --parents is a whole tree', 16],
];

test.each(refused)('%s is refused', async (line, message, column) => {
  await expect(planText(`FROM app\n${line}`)).rejects.toMatchObject({
    code: 'DOCKERFILE_SEMANTICS',
    message: expect.stringContaining(message),
    location: { start: { line: 2, column } },
  });
});
