// Measures tbuild and its peers.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { numberOf, readOptions } from '../support/options.ts';
import { FLOOR } from './case.ts';
import { cases } from './cases/index.ts';
import { drawGrowth, drawPicture } from './draw-picture.ts';
import { measureGrowth } from './growth.ts';
import { startPeers } from './peers/start-peers.ts';
import { printTable } from './print-table.ts';
import type { Sample } from './sample.ts';
import { stateDirectory } from './state-directory.ts';

const USAGE = 'npm run bench -- [--rounds N] [--only PEER,…] [--case NAME,…] [--before PROGRAM] [--growth]';
const values = readOptions(USAGE, {
  rounds: { type: 'string', default: '3' },
  only: { type: 'string' },
  case: { type: 'string' },
  before: { type: 'string' },
  growth: { type: 'boolean' },
});
const rounds = numberOf('--rounds', values.rounds);
const results = join(import.meta.dirname, 'results', new Date().toISOString().replaceAll(':', '-'));
const machine = { node: process.version, kernel: release(), processors: cpus().length };
mkdirSync(join(results, '..'), { recursive: true });
await (values.growth ? growth() : compare());

async function compare(): Promise<void> {
  const samples = await takeRounds(rounds, values.case?.split(','));
  const names = [...new Set(samples.map(({ peer }) => peer))].sort((a, b) => rank(a) - rank(b));
  printTable(samples, names);
  save(samples, drawPicture(samples, names));
}

async function takeRounds(rounds: number, wanted: readonly string[] | undefined): Promise<Sample[]> {
  await using state = await stateDirectory();
  let peers = await startPeers(state.path, values.only?.split(','), values.before);
  const samples: Sample[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const each of cases.filter(({ name }) => wanted?.includes(name) ?? true)) {
        if (round > each.rounds) continue;
        console.error(`round ${round} of ${Math.min(rounds, each.rounds)}: ${each.name}`);
        const directory = join(state.path, `${each.name}-${round}`);
        mkdirSync(directory);
        samples.push(...(await each.take({ peers, directory, seed: String(process.hrtime.bigint()) })));
      }
      peers = [...peers.slice(1), ...peers.slice(0, 1)];
    }
  } finally {
    for (const peer of peers) await peer[Symbol.asyncDispose]();
  }
  return samples;
}

async function growth(): Promise<void> {
  await using state = await stateDirectory();
  const [peer] = await startPeers(state.path, ['tbuild']);
  if (peer === undefined) throw new Error('There is no tbuild to measure');
  const curves = await measureGrowth(peer, state.path, values.case?.split(','));
  for (const { subject, points } of curves) console.log(subject, points);
  save(curves, drawGrowth(curves));
}

/** tbuild first, the floor last. */
function rank(peer: string): number {
  return peer === 'tbuild' ? 0 : peer === FLOOR ? 2 : 1;
}

function save(data: readonly unknown[], picture: string): void {
  writeFileSync(`${results}.json`, `${JSON.stringify({ machine, data }, null, 2)}\n`);
  writeFileSync(`${results}.svg`, picture);
  console.log(`\n${results}.json\n${results}.svg`);
}
