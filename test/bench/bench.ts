// Prints how long tbuild and its peers take:  npm run bench [-- --rounds N] [-- --only PEER,…]
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isRoot } from '../support/requirements.ts';
import { runChecked } from '../support/run-process.ts';
import { scratchDirectory } from '../support/scratch.ts';
import { cachedRebuild, manyFiles, trivialRuns, type Sample } from './measurements.ts';
import { startPeers, type Peer } from './peer.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, only: { type: 'string' } } });
const samples = await measure(Number(values.rounds), values.only?.split(','));
print(samples);
save(samples);

async function measure(rounds: number, only: readonly string[] | undefined): Promise<Sample[]> {
  await using place = await benchmarkDirectory();
  const peers = await startPeers(place.path);
  try {
    return await takeRounds(peers.filter(({ name }) => only?.includes(name) ?? true), { rounds, directory: place.path });
  } finally {
    for (const peer of peers) await peer[Symbol.asyncDispose]();
  }
}

async function takeRounds(peers: readonly Peer[], { rounds, directory }: { rounds: number; directory: string }): Promise<Sample[]> {
  const taken: Sample[] = [];
  for (let round = 1; round <= rounds; round++) {
    console.error(`round ${round} of ${rounds}`);
    taken.push(...(await cachedRebuild(peers, directory)), ...(await trivialRuns(peers)));
    // Three rounds are enough where a build takes seconds.
    if (round <= 3) taken.push(...(await manyFiles(peers, directory)));
    peers = [...peers.slice(1), ...peers.slice(0, 1)];
  }
  return taken;
}

/** A journaled ext4 of its own, the same for all; where it cannot be mounted, a plain directory. */
async function benchmarkDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const directory = scratchDirectory('bench');
  const path = join(directory, 'state');
  mkdirSync(path);
  const remove = () => runChecked('rm', ['-rf', directory]);
  if (!isRoot) return { path, [Symbol.asyncDispose]: async () => void (await remove()) };
  const image = join(directory, 'ext4.img');
  await runChecked('truncate', ['-s', '24G', image]);
  await runChecked('mkfs.ext4', ['-q', '-E', 'lazy_itable_init=0', image]);
  await runChecked('mount', ['-o', 'loop,noatime', image, path]);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await runChecked('umount', ['-R', '-l', path]);
      await remove();
    },
  };
}

function print(all: readonly Sample[]): void {
  const peers = [...new Set(all.map(({ peer }) => peer))].sort((a, b) => Number(b === 'tbuild') - Number(a === 'tbuild'));
  const rows = [...new Set(all.map(({ measurement }) => measurement))].map((measurement) => {
    const medians = peers.map((peer) => medianOf(all, measurement, peer));
    const ratios = medians.slice(1).map((median) => `${(median / medians[0]!).toFixed(1)}x`);
    return [measurement, ...medians.map((median) => `${(median / 1000).toFixed(3)} s`), ...ratios];
  });
  const header = ['median', ...peers, ...peers.slice(1).map((peer) => `${peer} / ${peers[0]}`)];
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  for (const row of [header, ...rows]) {
    console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '));
  }
}

function medianOf(all: readonly Sample[], measurement: string, peer: string): number {
  const times = all.filter((sample) => sample.measurement === measurement && sample.peer === peer);
  const sorted = times.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function save(all: readonly Sample[]): void {
  const directory = join(import.meta.dirname, 'results');
  mkdirSync(directory, { recursive: true });
  const machine = { node: process.version, kernel: release(), processors: cpus().length };
  const file = join(directory, `${new Date().toISOString().replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify({ machine, samples: all }, null, 2)}\n`);
  console.log(`\n${file}`);
}
