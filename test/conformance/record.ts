// Builds the cases with Docker's own builder and writes the result beside each.
//   node test/support/run-ts.mjs test/conformance/record.ts [THEME[/NAME] ...]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseImage, loadBaseImage } from '../support/base-images.ts';
import { docker, startDocker } from '../support/docker.ts';
import { imagesOf } from '../support/layout.ts';
import { runChecked, runProcess } from '../support/run-process.ts';
import { runDirectoryVariable, scratchDirectory } from '../support/scratch.ts';
import { listCases, prepareContext, type ConformanceCase } from './case.ts';
import { recordImage, type ImageRecord } from './image-record.ts';

const wanted = process.argv.slice(2);
const cases = listCases().filter(({ name }) => wanted.length === 0 || wanted.some((prefix) => name.startsWith(prefix)));
const runDirectory = mkdtempSync(join(tmpdir(), 'tbuild-record-'));
process.env[runDirectoryVariable] = runDirectory;
await recordAll().finally(() => rmSync(runDirectory, { recursive: true, force: true }));

async function recordAll(): Promise<void> {
  await using daemon = await startDocker();
  for (const image of new Set(cases.flatMap(({ images }) => images))) await loadBaseImage(image, daemon.host);
  for (const one of cases) {
    const golden = await record(one, daemon.host);
    writeFileSync(one.golden, `${JSON.stringify(golden, null, 2)}\n`);
    console.log('fails' in golden ? `${one.name}: fails: ${golden.fails}` : one.name);
  }
}

async function record(one: ConformanceCase, host: string): Promise<ImageRecord | { fails: string }> {
  const tag = `conformance:${one.name.replaceAll('/', '-')}`;
  const args = ['buildx', 'build', '--progress', 'plain', '--tag', tag, ...one.args, '.'];
  const options = { cwd: prepareContext(one), env: { DOCKER_HOST: host, BUILDX_NO_DEFAULT_ATTESTATIONS: '1' } };
  const { exitCode, stderr } = await runProcess('docker', args, options);
  if (exitCode !== 0) return { fails: messageOf(stderr) };
  const directory = scratchDirectory('saved');
  await docker(host, ['save', '--output', join(directory, 'image.tar'), tag]);
  await runChecked('tar', ['-xf', 'image.tar'], { cwd: directory });
  return recordImage(imagesOf(directory)[0]!, { bases: one.images.map(baseImage), anyContent: one.anyContent });
}

/** Docker's message, for the reader of a golden only: without the places and random names of that run. */
function messageOf(stderr: string): string {
  const message = stderr.match(/^ERROR: .*$/gm)?.at(-1) ?? stderr;
  return message
    .replace(/^ERROR: (failed to solve: )?/, '')
    .replace(/: dial tcp.*/, '')
    .replace(/failed to calculate checksum of ref \S+: /, '')
    .replace(/\/tmp\/\S*\/merged/g, '');
}
