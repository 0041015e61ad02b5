import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../support/run-process.ts';
import type { GrowthCurve } from './draw-picture.ts';
import type { Peer } from './peer.ts';

type Point = GrowthCurve['points'][number];

/** How time and memory of one builder grow with steps, files and bytes. */
export async function measureGrowth(peer: Peer, directory: string): Promise<GrowthCurve[]> {
  const points = async (
    sizes: readonly number[],
    write: (size: number, context: string) => unknown,
  ): Promise<Point[]> => {
    const taken: Point[] = [];
    for (const size of sizes) {
      const context = join(directory, `growth-${String(process.hrtime.bigint())}`);
      mkdirSync(context);
      await write(size, context);
      taken.push({ size, ...(await buildOnce(peer, context)) });
      console.error(`${size}: ${(taken.at(-1)?.milliseconds ?? 0).toFixed(0)} ms`);
    }
    return taken;
  };
  return [
    { subject: 'RUN steps, cold', points: await points([10, 100, 400], writeSteps) },
    { subject: 'files, cold', points: await points([1000, 10_000, 100_000], writeFiles) },
    { subject: 'directories one in the other', points: await points([10, 100, 500], writeDeep) },
    { subject: 'bytes of one sparse file', points: await points([1e8, 1e9, 1e10], writeSparse) },
  ];
}

async function buildOnce(peer: Peer, context: string): Promise<Omit<Point, 'size'>> {
  await runChecked('sync', []);
  const started = performance.now();
  await peer.build(context);
  return { milliseconds: performance.now() - started, peakMemory: peer.peakMemory?.() };
}

function writeSteps(count: number, context: string): void {
  const steps = Array.from({ length: count }, (_, step) => `RUN echo ${step} > /step\n`);
  writeFileSync(join(context, 'Dockerfile'), `FROM busybox\n${steps.join('')}`);
}

function writeFiles(count: number, context: string): void {
  for (let directory = 0; directory < count / 100; directory++) {
    mkdirSync(join(context, 'files', String(directory)), { recursive: true });
    for (let file = 0; file < 100; file++)
      writeFileSync(join(context, 'files', String(directory), String(file)), `${count} ${directory} ${file}\n`);
  }
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY files /files\n');
}

function writeDeep(depth: number, context: string): void {
  mkdirSync(join(context, 'top', ...Array.from({ length: depth }, () => 'd')), { recursive: true });
  writeFileSync(join(context, 'top', ...Array.from({ length: depth }, () => 'd'), 'file'), String(depth));
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY top /top\n');
}

async function writeSparse(bytes: number, context: string): Promise<void> {
  await runChecked('truncate', ['-s', String(bytes), join(context, 'sparse')]);
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY sparse /\n');
}
