import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { skopeo } from '../../support/peers.ts';
import { program } from '../../support/program.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked, runProcess } from '../../support/run-process.ts';
import {
  buildContext,
  buildGood,
  buildInline,
  good,
  userDirectory,
  writeFiles,
  type InlineBuild,
} from '../../support/tbuild.ts';
import { ordinaryUser } from '../../support/user.ts';

const contexts = join(import.meta.dirname, '../../../fixtures/contexts');
const diffIds = (build: InlineBuild) => build.image().config.rootfs.diff_ids;

/** Programs of libcap with their loader and libraries, by names that need no search. */
async function capabilityTools(): Promise<Record<string, string>> {
  const [setcap, getcap] = ['/usr/sbin/setcap', '/usr/sbin/getcap'];
  const paths = (await runChecked('ldd', [setcap])).match(/\/\S+(?= \()/g) ?? [];
  const libraries = paths.map((path) => [path.includes('/ld-linux') ? 'loader' : basename(path), path]);
  return { setcap, getcap, ...Object.fromEntries(libraries) };
}

describe('an ordinary user with subordinate ids', needs('user'), () => {
  test('builds a project of two stages', async () => {
    const build = good(await buildContext(join(contexts, 'hello'), { asUser: true }));
    expect(build.tree().readText('/srv/banner.txt')).toContain('Hello from an image');
    expect(build.tree().entries.get('/srv/banner.txt')).toMatchObject({ uid: 1000, gid: 1000 });
  });

  test('gets the same layers as root', async () => {
    const files = {
      Dockerfile: `FROM busybox
COPY --chown=33:34 a /srv/
COPY --chmod=4755 a /suid
WORKDIR /made/here
COPY dir /dir
`,
      a: 'a\n',
      'dir/one': '1\n',
      'dir/two': '#!2\n',
    };
    const asRoot = await buildGood(files);
    const asUser = good(await buildContext(asRoot.context, { asUser: true }));
    expect(diffIds(asUser).slice(0, 2)).toEqual(diffIds(asRoot).slice(0, 2));
    expect([...asUser.tree().entries]).toEqual([...asRoot.tree().entries]);
  });

  test('gets the same RUN layers as root: owners, special modes, capabilities, links, set times', async () => {
    const context = writeFiles({
      Dockerfile: `FROM busybox
RUN --mount=type=bind,source=tools,target=/tools cp /bin/busybox /cap && /tools/loader --library-path /tools /tools/setcap cap_net_raw+ep /cap && /tools/loader --library-path /tools /tools/getcap /cap
RUN cp /bin/busybox /suid && chown 33:34 /suid && chmod 6755 /suid && ln /suid /second && mkdir -m 3777 /sticky && chown 65534:65534 /sticky
RUN mkfifo -m 620 /pipe && chown 5:6 /pipe && ln -s suid /link && chown -h 7:8 /link && rm /etc/group && rm -r /var && mkdir /var
COPY --chown=www-data:www-data tools/setcap /srv/
`,
    });
    mkdirSync(join(context, 'tools'));
    for (const [name, path] of Object.entries(await capabilityTools()))
      copyFileSync(path, join(context, 'tools', name));
    await runChecked('chmod', ['-R', 'a+rX', context]);
    const args = ['--output', 'type=image,rewrite-timestamp=true'];
    const env = { SOURCE_DATE_EPOCH: '1700000000' };
    const [asRoot, asUser] = [
      good(await buildContext(context, { args, env })),
      good(await buildContext(context, { args, env, asUser: true })),
    ];
    expect(asUser.image().manifest).toEqual(asRoot.image().manifest);
    expect(asUser.tree().entries.get('/suid')).toMatchObject({ mode: '6755', uid: 33, gid: 34 });
    // Version 2: a capability of a user namespace (version 3) would name its root.
    expect(asUser.tree().entries.get('/cap')?.capability).toBe('0100000200200000000000000000000000000000');
    expect(asUser.stderr).toContain('/cap cap_net_raw=ep');
  });

  test('gets an error for device nodes that only root can create', async () => {
    const context = writeFiles({ Dockerfile: 'FROM busybox\nADD devices.tar /\n', 'other/file': 'here\n' });
    await runChecked('mknod', [join(context, 'other/console'), 'c', '5', '1']);
    await runChecked('tar', ['-C', join(context, 'other'), '-cf', join(context, 'devices.tar'), '.']);
    const [asRoot, asUser] = [good(await buildContext(context)), good(await buildContext(context, { asUser: true }))];
    expect(asRoot.tree().entries.has('/console')).toBe(true);
    expect(asRoot.stderr).not.toContain('left out');
    expect(asUser.tree().readText('/file')).toBe('here\n');
    expect(asUser.stderr).toContain(
      'Device nodes were left out, since only root on this machine can create them: console',
    );
    const made = await buildInline({ Dockerfile: 'FROM busybox\nRUN mknod /disk b 7 0\n' }, { asUser: true });
    expect(made).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('mknod: /disk: Operation not permitted'),
    });
  });

  test('keeps whiteouts, opaque directories and foreign owners', async () => {
    const build = await buildGood(
      {
        Dockerfile: `FROM busybox
RUN mkdir -p /d/old && touch /d/old/f && chown -R 1234:4321 /d
RUN rm -rf /d && mkdir /d && touch /d/new && rm /etc/shadow && mv /etc/group /etc/groups
RUN ls -A /d > /list
`,
      },
      { asUser: true },
    );
    const tree = build.tree();
    expect(tree.readText('/list')).toBe('new\n');
    expect([...tree.entries.keys()].filter((path) => path.startsWith('/d/'))).toEqual(['/d/new']);
    expect(tree.entries.has('/etc/shadow')).toBe(false);
    expect(tree.entries.has('/etc/groups')).toBe(true);
  });

  test('owns the store, which other tools can read', async () => {
    const store = userDirectory('store');
    const build = good(await buildContext(join(contexts, 'hello'), { asUser: true, store, args: ['--tag', 'mine:1'] }));
    const { uid } = ordinaryUser();
    // The store is still being synced after a build, so a file may be gone once it is listed.
    const owners = readdirSync(store).map((name) => statSync(join(store, name), { throwIfNoEntry: false })?.uid ?? uid);
    expect(new Set(owners)).toEqual(new Set([uid]));
    expect(build.image().manifest.layers.length).toBeGreaterThan(1);
    await skopeo([
      'inspect',
      `oci:${store}:${build.image().manifestDescriptor.annotations?.['org.opencontainers.image.ref.name'] ?? ''}`,
    ]);
  });
});

/** Takes all ids but the user's own away, and the namespace too. */
const poorer = [
  { what: 'with one id alone', change: 'mount --bind /dev/null /etc/subuid; mount --bind /dev/null /etc/subgid' },
  { what: 'without user namespaces', change: 'echo 0 > /proc/sys/user/max_user_namespaces' },
];

describe.each(poorer)('an ordinary user $what', needs('user'), ({ what, change }) => {
  const { name } = ordinaryUser();
  const isAlone = what === 'with one id alone';
  const build = async (Dockerfile: string) => {
    const home = userDirectory('poor');
    const context = writeFiles({ Dockerfile, file: 'x\n' });
    const files = ['build', '--progress', 'plain', '--iidfile', `${home}/id`, ...baseImageArguments(), context];
    const reproducible = ['-o', `type=oci,rewrite-timestamp=true,dest=${home}/image.tar`];
    const args = ['--reuid', name, '--regid', name, '--clear-groups', program, ...files, ...reproducible];
    const env = { HOME: home, SOURCE_DATE_EPOCH: '1700000000' };
    const outer = isAlone ? [] : ['--user', '--map-users=0:0:65536', '--map-groups=0:0:65536'];
    const poor = ['--mount', 'sh', '-ec', `${change}; exec "$@"`, 'sh', 'setpriv', ...args];
    const run = await runProcess('unshare', [...outer, ...poor], { env });
    return { ...run, context, id: () => readFileSync(`${home}/id`, 'utf8') };
  };
  const asRoot = async (context: string) => {
    const args = ['--output', 'type=image,rewrite-timestamp=true'];
    return good(await buildContext(context, { args, env: { SOURCE_DATE_EPOCH: '1700000000' } })).id();
  };

  test('gets the same image as root, whatever the owners of its files', async () => {
    const built = good(
      await build(`FROM busybox AS stage
COPY --chown=33:34 --chmod=4750 file /made/
FROM busybox
COPY --from=stage /made /made
COPY --from=stage /home /homes
WORKDIR /work
COPY --chown=daemon:users file .
`),
    );
    expect(built.id()).toBe(await asRoot(built.context));
  });

  test('gets a message that says what RUN cannot do', async () => {
    const changed = await build('FROM busybox\nRUN echo x >> /etc/shadow; touch /home; rmdir /var/www; mkdir /new\n');
    if (!isAlone) {
      expect(changed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Cannot isolate RUN steps') });
      return;
    }
    // A file that a step only changes keeps its owner.
    expect(good(changed).id()).toBe(await asRoot(changed.context));
    const cache = await build('FROM busybox\nRUN --mount=type=cache,target=/c,uid=33 true\n');
    expect(cache).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Cannot set the owner of a mount to 33:0'),
    });
    const given = await build('FROM busybox\nUSER www-data\nRUN id\n');
    expect(given).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('The step cannot run as user 33:33'),
    });
  });
});
