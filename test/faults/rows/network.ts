import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { copyImage, createMemoryStore } from '@tbuild/content';
import { parseReference } from '@tbuild/oci';
import { createRegistryClient } from '@tbuild/registry';
import { pushBaseImage } from '../../support/base-images.ts';
import { sharedService } from '../../support/services.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { madeOnce } from '../made-once.ts';
import { impatient, startFaultyProxy } from '../network/network-faults.ts';
import { startUnreliableProxy } from '../network/unreliable-proxy.ts';
import { manifestOf } from '../reference.ts';
import { isInternalError, runGood, type RunOptions, runTbuild, writeFiles } from '../run-tbuild.ts';

export const row: FaultRow = {
  name: 'network',
  title: 'Builds survive a registry that restarts, closes connections and fails, or say what failed',
  needs: ['registry', 'root'],
  run: breakNetwork,
};

/** Some containers have no IPv6. */
const LOOPBACK = (['127.0.0.1', '::1'] as const).filter((address) =>
  Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === address)),
);

const MODES = ['restart', 'late', 'races', 'once', 'once', 'once', 'often', 'often'] as const;

async function breakNetwork(context: FaultContext): Promise<void> {
  const { random, directory } = context;
  const registry = await sharedService('registry');
  const base = await pushedBase(registry);
  const mode = random.pick(MODES);
  const options = { random, address: random.pick(LOOPBACK) };
  await using proxy =
    mode === 'once' || mode === 'often'
      ? await startFaultyProxy(registry, { mode, ...options })
      : await startUnreliableProxy(registry, { mode, ...options });
  const project = writeFiles(join(directory, 'project'), {
    Dockerfile: `FROM ${base.replace(registry, proxy.host)}\nCOPY a /a\nRUN cat /a > /b\n`,
    a: `${random.int(2 ** 31)}\n`,
  });
  const name = `${proxy.host}/faults/${random.int(2 ** 31)}`;
  const build = (store: string): [FaultContext, readonly string[], RunOptions] => [
    context,
    [
      'build',
      '--progress',
      'plain',
      '--cache-from',
      `${name}:cache`,
      '--cache-to',
      `type=registry,ref=${name}:cache,mode=max`,
      '-o',
      `type=image,name=${name}:1,push=true,rewrite-timestamp=true`,
      project,
    ],
    { store: join(directory, store), env: impatient },
  ];
  // One build pulls and pushes, the other finds the cache.
  const outputs = new Map<string, string | undefined>();
  for (const store of ['first', 'second']) {
    const { exitCode, stderr } = await runTbuild(...build(store));
    if (isInternalError(stderr)) context.fail('A build ends with an internal error', stderr);
    if (exitCode !== 0 && mode !== 'often') context.fail(`A build does not survive "${mode}"`, stderr);
    context.count(exitCode === 0 ? `builds that survived "${mode}"` : `builds that said what failed`);
    outputs.set(store, exitCode === 0 ? stderr : undefined);
  }
  context.count(`faults of "${mode}"`, proxy.breaks());
  proxy.heal();
  const digests = new Set<string>();
  for (const [store, output] of outputs) {
    digests.add(manifestOf(output ?? (await runGood(...build(store))).stderr));
    await runGood(context, ['fsck', '--full'], { store: join(directory, store) });
  }
  if (digests.size > 1) context.fail('Two stores make different images', [...digests].join('\n'));
  await readImage(name.replace(proxy.host, registry), [...digests].join());
}

/** Reads all bytes of an image in a registry, which are verified. */
async function readImage(name: string, digest: string): Promise<void> {
  const clock = { now: Date.now, sleep: async () => {} };
  await using client = createRegistryClient({ credentials: async () => undefined, insecure: () => true, clock });
  const repository = client.openRepository(parseReference(name));
  await copyImage(await repository.resolve(digest), { from: repository, to: createMemoryStore() });
}

const pushedBase = madeOnce((registry: string) => pushBaseImage('busybox', registry));
