import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../support/run-process.ts';
import type { GrowthCurve } from './draw-picture.ts';
import type { Peer, PeerBuild } from './peer.ts';

type Point = GrowthCurve['points'][number];

interface Growing {
  readonly subject: string;
  readonly sizes: readonly number[];
  /** Writes the context. Returns what the build of it needs besides. */
  write(size: number, context: string, peer: Peer): PeerBuild | void | Promise<PeerBuild | void>;
}

const growing: readonly Growing[] = [
  { subject: 'RUN steps', sizes: [10, 100, 400], write: writeSteps },
  { subject: 'stages', sizes: [10, 30, 100], write: writeStages },
  { subject: 'layers of a base', sizes: [30, 100, 300], write: writeBase },
  { subject: 'results in the store', sizes: [100, 1000, 10_000], write: writeBesideResults },
  { subject: 'names in the store', sizes: [100, 1000, 10_000], write: writeBesideNames },
  { subject: 'files', sizes: [1000, 10_000, 100_000, 500_000], write: writeFiles },
  { subject: 'files before a RUN', sizes: [1000, 10_000, 100_000], write: writeFilesToRun },
  { subject: 'directories one in the other', sizes: [10, 100, 500], write: writeDeep },
  { subject: 'bytes of one sparse file', sizes: [1e8, 1e9, 1e10], write: writeSparse },
];

/** Measures how time and memory of one builder grow with steps, files and bytes, for a first and an unchanged build. */
export async function measureGrowth(peer: Peer, directory: string, only?: readonly string[]): Promise<GrowthCurve[]> {
  const curves: GrowthCurve[] = [];
  for (const { subject, sizes, write } of growing) {
    if (only?.some((word) => subject.startsWith(word)) === false) continue;
    const [cold, again]: [Point[], Point[]] = [[], []];
    for (const size of sizes) {
      const context = join(directory, `growth-${String(process.hrtime.bigint())}`);
      mkdirSync(context);
      const options = (await write(size, context, peer)) ?? {};
      cold.push({ size, ...(await buildOnce(peer, context, options)) });
      again.push({ size, ...(await buildOnce(peer, context, options)) });
      console.error(`${size} ${subject}: ${[cold, again].map((points) => tell(points.at(-1))).join(', again ')}`);
    }
    curves.push({ subject, points: cold }, { subject: `${subject}, again`, points: again });
  }
  return curves;
}

function tell(point: Point | undefined): string {
  return `${(point?.milliseconds ?? 0).toFixed(0)} ms ${((point?.peakMemory ?? 0) / 1e6).toFixed(0)} MB`;
}

async function buildOnce(peer: Peer, context: string, options: PeerBuild): Promise<Omit<Point, 'size'>> {
  await runChecked('sync', []);
  const started = performance.now();
  await peer.build(context, options);
  return { milliseconds: performance.now() - started, peakMemory: peer.peakMemory?.() };
}

function writeSteps(count: number, context: string): void {
  const steps = Array.from({ length: count }, (_, step) => `RUN echo ${step} > /step\n`);
  writeFileSync(join(context, 'Dockerfile'), `FROM busybox\n${steps.join('')}`);
}

function writeStages(count: number, context: string): void {
  const stages = Array.from({ length: count }, (_, at) => at);
  const made = stages.map((stage) => `FROM busybox AS s${stage}\nRUN echo ${count} ${stage} > /s${stage}\n`);
  const copied = stages.map((stage) => `COPY --from=s${stage} /s${stage} /\n`);
  writeFileSync(join(context, 'Dockerfile'), [...made, 'FROM busybox\n', ...copied].join(''));
}

/** A layout of an image with this many layers on busybox, in a store that has never seen it. */
async function writeBase(layers: number, context: string, peer: Peer): Promise<PeerBuild> {
  const [base, layout, path] = [join(context, 'base'), join(context, 'layout'), join(context, 'base.tar')];
  for (const directory of [base, layout]) mkdirSync(directory);
  const copies = Array.from({ length: layers }, (_, layer) => `COPY ${layer} /\n`);
  for (const layer of copies.keys()) writeFileSync(join(base, String(layer)), `${layers} ${layer}\n`);
  writeFileSync(join(base, 'Dockerfile'), `FROM busybox\n${copies.join('')}`);
  await peer.build(base, { archive: { path, compression: 'gzip' } });
  await runChecked('tar', ['-xf', path, '-C', layout]);
  await peer.forget();
  writeFileSync(join(context, 'Dockerfile'), 'FROM base\nRUN ls / > /list\n');
  return { contexts: { base: `oci-layout://${layout}` } };
}

/** A small build, in a store that has this many results. */
async function writeBesideResults(results: number, context: string, peer: Peer): Promise<void> {
  await peer.forget();
  const inOne = 100;
  for (let from = 0; from < results; from += inOne) {
    const steps = Array.from({ length: inOne }, (_, step) => `WORKDIR /${from + step}\n`);
    writeFileSync(join(context, 'Dockerfile'), `FROM busybox\n${steps.join('')}`);
    await peer.build(context);
  }
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY Dockerfile /\nRUN ls / > /list\n');
}

/** A small build, in a store in which an image has this many names. */
async function writeBesideNames(count: number, context: string, peer: Peer): Promise<void> {
  await peer.forget();
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY Dockerfile /\n');
  await peer.build(context, { names: Array.from({ length: count }, (_, at) => `many:${at}`) });
  appendFileSync(join(context, 'Dockerfile'), 'RUN ls / > /list\n');
}

function writeFiles(count: number, context: string): void {
  for (let directory = 0; directory < count / 100; directory++) {
    mkdirSync(join(context, 'files', String(directory)), { recursive: true });
    for (let file = 0; file < 100; file++)
      writeFileSync(join(context, 'files', String(directory), String(file)), `${count} ${directory} ${file}\n`);
  }
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY files /files\n');
}

function writeFilesToRun(count: number, context: string): void {
  writeFiles(count, context);
  appendFileSync(join(context, 'Dockerfile'), 'RUN ls /files > /list\n');
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
