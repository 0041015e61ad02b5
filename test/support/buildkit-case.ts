import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from './run-process.ts';
import { scratchDirectory } from './scratch.ts';
import { readTar } from './tar-archive.ts';
import { good, runTbuild } from './tbuild.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/buildkit-bytes');

/** The names of the recorded cases. */
export const buildkitCases: readonly string[] = readdirSync(fixtures)
  .filter((name) => existsSync(join(fixtures, name, 'options')))
  .sort();

/** A document, or a layer as the list of its members. */
export interface ArchivedPart {
  readonly digest: string;
  readonly text: string;
}

/** The parts of an image archive by name: `index.json`, `manifest`, `config`, `layer 1`; `index` and `2 config` of several. */
export type ArchivedParts = ReadonlyMap<string, ArchivedPart>;

/** Returns a file that belongs to a case, or undefined. */
export function caseFile(name: string, file: string): string | undefined {
  const path = join(fixtures, name, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** Returns the recording of a case. */
export function recordedParts(name: string): ArchivedParts {
  const files = readdirSync(join(fixtures, name));
  const layers = (caseFile(name, 'layers.txt') ?? '')
    .trimEnd()
    .split(/^layer /m)
    .slice(1);
  const layerOf = (digest: string): string | undefined => layers.find((layer) => layer.startsWith(digest));
  return partsOf(caseFile(name, 'index.json') ?? '', (digest) => {
    const layer = layerOf(digest);
    if (layer !== undefined) return layer.trimEnd().split('\n').slice(1).join('\n');
    const file = files.find((one) => one.endsWith(`-${digest.slice('sha256:'.length, 19)}.json`));
    return (file === undefined ? undefined : caseFile(name, file)) ?? '';
  });
}

/** A case that is ready to be built. */
export interface PreparedCase {
  readonly context: string;
  /** The arguments besides the output. */
  readonly args: readonly string[];
  /** The attributes of the output. */
  readonly output: string;
}

/** Makes the context of a case. */
export async function prepareCase(name: string): Promise<PreparedCase> {
  const context = scratchDirectory('context');
  const setup = join(fixtures, name, 'setup.sh');
  if (existsSync(setup)) await runChecked('sh', [setup], { cwd: context });
  writeFileSync(join(context, 'Dockerfile'), caseFile(name, 'Dockerfile') ?? '');
  const options = (caseFile(name, 'options') ?? '').trim().split('\n').map(readOption);
  const output = options.flatMap(([kind, value]) => (kind === 'output' ? [value] : []));
  return { context, args: options.flatMap(argumentsOf), output: output.join(',') };
}

/** Builds a case to an archive and returns its parts. */
export async function builtParts(name: string): Promise<ArchivedParts> {
  const { context, args, output } = await prepareCase(name);
  const archive = join(scratchDirectory('archive'), 'image.tar');
  good(
    await runTbuild([
      'build',
      '--progress',
      'plain',
      '--no-cache',
      '-o',
      `${output},dest=${archive}`,
      ...args,
      context,
    ]),
  );
  const files = new Map([...readTar(readFileSync(archive))].map((member) => [member.name, member.data]));
  return partsOf(files.get('index.json')?.toString() ?? '', (digest, isLayer) => {
    const blob = files.get(`blobs/${digest.replace(':', '/')}`);
    if (blob === undefined) throw new Error(`The archive has no ${digest}`);
    return isLayer ? membersOf(blob) : blob.toString();
  });
}

function readOption(line: string): readonly [kind: string, value: string] {
  const [, kind = '', value = ''] = /^(\S+) (.*)$/.exec(line) ?? [];
  return [kind, value];
}

/** Translates an option, which has buildctl's words. */
function argumentsOf([kind, value]: readonly [string, string]): readonly string[] {
  if (kind === 'output') return [];
  if (kind === 'build-arg') return ['--build-arg', value];
  if (kind === 'build-context') return ['--build-context', value.replace('//base-layout', `//${fixtures}/base-layout`)];
  if (value.startsWith('platform=')) return [`--${value}`];
  if (value.startsWith('attest:provenance=')) return [`--${value.slice('attest:'.length)}`];
  throw new Error(`Unknown option ${JSON.stringify(`${kind} ${value}`)}`);
}

function partsOf(index: string, textOf: (digest: string, isLayer: boolean) => string): ArchivedParts {
  const parts = new Map<string, ArchivedPart>([['index.json', { digest: '', text: index }]]);
  const read = (name: string, digest: string, isLayer = false): string => {
    const text = textOf(digest, isLayer);
    parts.set(name, { digest, text });
    return text;
  };
  const readManifest = (digest: string, prefix = ''): void => {
    const { config, layers } = JSON.parse(read(`${prefix}manifest`, digest));
    read(`${prefix}config`, config.digest);
    for (const [at, layer] of (layers ?? []).entries()) {
      const isStatement = layer.mediaType.includes('in-toto');
      read(`${prefix}${isStatement ? 'statement' : 'layer'} ${at + 1}`, layer.digest, !isStatement);
    }
  };
  for (const { digest, mediaType } of JSON.parse(index).manifests) {
    if (!/index|list/.test(mediaType)) readManifest(digest);
    else
      for (const [at, manifest] of JSON.parse(read('index', digest)).manifests.entries())
        readManifest(manifest.digest, `${at + 1} `);
  }
  return parts;
}

/** Lists the members of an archive as the recordings do. */
function membersOf(archive: Buffer): string {
  const lines = [...readTar(archive)].map(({ type, mode, uid, gid, size, mtime, name, linkName }) => {
    const what = `${type} ${mode.toString(8)} ${uid}:${gid} ${size} mtime=${mtime} ${name.replace(/\/$/, '')}`;
    return linkName === '' ? `  ${what}` : `  ${what} -> ${linkName}`;
  });
  return lines.join('\n');
}

/** What is another in every build, or was recorded with other options: buildctl names no Dockerfile. */
const VARYING = new Set(
  (
    'invocationId buildInvocationID startedOn finishedOn buildStartedOn buildFinishedOn ' +
    'digestMapping dockerfileVersion path entryPoint oci.session oci.store'
  ).split(' '),
);

/** Returns a statement without what varies. The order of its members stays. */
export function comparedStatement(text: string): string {
  const kept: unknown = JSON.parse(text, (name, value: unknown) => {
    if (VARYING.has(name) || (name === 'attrs' && JSON.stringify(value) === '{}')) return undefined;
    return typeof value === 'string' ? value.replace(/(oci-layout:\/\/).*@/, '$1…@') : value;
  });
  return JSON.stringify(kept, null, 1);
}
