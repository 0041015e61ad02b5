import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { skopeo } from '../support/peers.ts';
import { canSwitchUser } from '../support/requirements.ts';
import { buildContext, buildGood, good, userDirectory } from '../support/tbuild.ts';
import { ordinaryUser } from '../support/user.ts';
import type { InlineBuild } from '../support/tbuild.ts';

const contexts = join(import.meta.dirname, '../../fixtures/contexts');
const diffIds = (build: InlineBuild) => build.image().config.rootfs.diff_ids;

describe.skipIf(!canSwitchUser)('an ordinary user with subordinate ids', () => {
  test('builds a project of two stages', async () => {
    const build = good(await buildContext(join(contexts, 'hello'), { asUser: true }));
    expect(build.tree().readText('/srv/banner.txt')).toContain('Hello from an image');
    expect(build.tree().entries.get('/srv/banner.txt')).toMatchObject({ uid: 1000, gid: 1000 });
  });

  test('gets the very layers that root gets', async () => {
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

  test('owns the store, which other tools read', async () => {
    const store = userDirectory('store');
    const build = good(await buildContext(join(contexts, 'hello'), { asUser: true, store, args: ['--tag', 'mine:1'] }));
    const { uid } = ordinaryUser();
    expect(readdirSync(store).map((name) => statSync(join(store, name)).uid)).toEqual(
      readdirSync(store).map(() => uid),
    );
    expect(build.image().manifest.layers.length).toBeGreaterThan(1);
    await skopeo([
      'inspect',
      `oci:${store}:${build.image().manifestDescriptor.annotations?.['org.opencontainers.image.ref.name'] ?? ''}`,
    ]);
  });
});
