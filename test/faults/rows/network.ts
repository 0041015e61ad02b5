import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { pushBaseImage } from '../../support/base-images.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import type { Random } from '../../support/random.ts';
import { sharedService } from '../../support/services.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { startUnreliableProxy } from '../network/unreliable-proxy.ts';
import { manifestOf } from '../reference.ts';
import { runGood, type RunOptions, runTbuild, writeFiles } from '../run-tbuild.ts';

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

/** A proxy before the registry. */
interface Broken extends AsyncDisposable {
  readonly host: string;
  heal(): void;
  faults(): number;
}

async function breakNetwork(context: FaultContext): Promise<void> {
  const { random, directory } = context;
  const registry = await sharedService('registry');
  const base = await (pushed ??= pushBaseImage('busybox', registry));
  const mode = random.pick(['restart', 'races', 'faults'] as const);
  await using proxy = await open(mode, registry, random);
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
    { store: join(directory, store) },
  ];
  // One build pulls and pushes, the other finds the cache.
  for (const store of ['first', 'second']) {
    const { exitCode, stderr } = await runTbuild(...build(store));
    if (/Internal error|\n\s+at .*:\d+:\d+/.test(stderr)) context.fail('A build ends with an internal error', stderr);
    if (exitCode !== 0 && mode !== 'faults') context.fail(`A build does not survive ${mode} of the registry`, stderr);
    context.count(exitCode === 0 ? `builds that survived ${mode}` : `builds that said what failed`);
  }
  context.count(`faults of ${mode}`, proxy.faults());
  proxy.heal();
  const [first, second] = [await runGood(...build('first')), await runGood(...build('second'))];
  if (manifestOf(first.stderr) !== manifestOf(second.stderr)) context.fail('Two stores make different images');
  await runGood(context, ['pull', `${name}:1`], { store: join(directory, 'third') });
  for (const store of ['first', 'second', 'third'])
    await runGood(context, ['fsck', '--full'], { store: join(directory, store) });
}

let pushed: Promise<string> | undefined;

async function open(mode: 'restart' | 'races' | 'faults', registry: string, random: Random): Promise<Broken> {
  if (mode !== 'faults') {
    const proxy = await startUnreliableProxy(registry, { mode, random, address: random.pick(LOOPBACK) });
    return { ...proxy, faults: proxy.breaks };
  }
  const proxy = await startFaultProxy(registry);
  let faults = 0;
  proxy.decide = faultsOf(random, () => faults++);
  return {
    host: proxy.host,
    heal: () => void (proxy.decide = () => undefined),
    faults: () => faults,
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}

/** Breaks about every fourth request in one of the ways that end within a moment. */
function faultsOf(random: Random, onFault: () => void): FaultProxy['decide'] {
  return () => {
    const at = random.int(2000);
    const fault = random.pick<Fault>([
      { kind: 'answer', status: random.pick([429, 500, 502, 503]) },
      { kind: 'answer', status: 401 },
      { kind: 'answer', status: 200, body: '<html>' },
      { kind: 'delay', milliseconds: at },
      { kind: 'cut-answer', after: at },
      { kind: 'cut-headers' },
      { kind: 'lose-answer' },
      { kind: 'cut-request', after: at },
      { kind: 'reset' },
      { kind: 'lose-request' },
      { kind: 'corrupt', at },
    ]);
    if (random.int(4) > 0) return undefined;
    onFault();
    return fault;
  };
}
