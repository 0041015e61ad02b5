import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openContext } from '@tbuild/context';
import { isArchive, unpackArchive, type UnpackOptions } from '@tbuild/diff';
import { hasCode, TbuildError, withoutCredentials } from '@tbuild/errors';
import { SOURCE_DATE_EPOCH } from '@tbuild/frontend';
import type { GitOp, HttpOp, ResultId, StepKey } from '@tbuild/graph';
import { makeDirectory, readLimitedFile } from '@tbuild/linux';
import { goBool, canonicalJson, digestOf, hexOf } from '@tbuild/oci';
import { createTreeWriter, type OverlayFlavour } from '@tbuild/snapshot';
import type { Op } from '@tbuild/solver';
import { fetchUrl, type Web } from '@tbuild/sources';
import type { Underway } from '../build-run.ts';
import type { Fetching } from '../ops/fetch/fetch-step.ts';
import { gitOp, type GitPorts } from '../ops/fetch/git.ts';
import { httpOp, type HttpPorts } from '../ops/fetch/http.ts';
import type { Secrets } from '../ops/secrets.ts';
import type { Trees } from '../ops/trees.ts';
import { DEFAULT_NAMES } from '../plan/load-dockerfile.ts';
import type { BuildRequest, ContextSpec } from '../request.ts';
import { checkedFetch } from '../source-policy/check-source.ts';
import { track } from '../track.ts';
import { gitOpOf, remoteTitle } from './remote-op.ts';
import { createResolvedSources, type ResolvedSources } from './resolved-sources.ts';

/** A request whose main context is a local directory. Disposing removes what was unpacked for it. */
export interface LocalRequest extends AsyncDisposable {
  readonly request: BuildRequest;
  /** The sources that were read for it. */
  readonly sources: ResolvedSources;
}

/** What fetching a context uses. */
export type FetchPorts = HttpPorts & GitPorts;

/**
 * Fetches or unpacks the main context and the Dockerfile, unless they are local.
 * @throws TbuildError as the ops of ADD; SNAPSHOT for a damaged archive; NOT_FOUND without a Dockerfile.
 */
export async function fetchContext(
  given: BuildRequest,
  ports: FetchPorts,
  { sources = createResolvedSources(), ...underway }: Underway & Secrets & { readonly sources?: ResolvedSources },
): Promise<LocalRequest> {
  const request = await fetchDefinition(given, ports, underway);
  if (request.context.kind === 'archive')
    return { sources, ...(await unpackForOnce({ ...request, context: request.context }, ports, underway)) };
  const local = await fetchMain(request, ports, { ...underway, sources });
  return { sources, request: local, [Symbol.asyncDispose]: async () => {} };
}

/** Returns what fetches the main context, if it is on another machine. */
export function mainSource({ context, buildArgs, sourcePolicy }: BuildRequest): GitOp | HttpOp | undefined {
  if (context.kind === 'http')
    return checkedFetch<HttpOp>(sourcePolicy, { kind: 'http', url: context.url, filename: FILE });
  if (context.kind !== 'git') return undefined;
  const keepGitDir = goBool(buildArgs.BUILDKIT_CONTEXT_KEEP_GIT_DIR) === true;
  const commitTime = (buildArgs[SOURCE_DATE_EPOCH] ?? '') !== '';
  return checkedFetch(sourcePolicy, gitOpOf({ keepGitDir, commitTime, ...context }));
}

async function fetchDefinition(request: BuildRequest, web: Web, underway: Underway & Secrets): Promise<BuildRequest> {
  const { dockerfile } = request;
  if (dockerfile.kind !== 'url') return request;
  const { readSecret, signal } = underway;
  const { digest } = await track(underway, `[internal] load ${withoutCredentials(dockerfile.url)}`, (report) =>
    fetchUrl(dockerfile.url, web, { readSecret, report, signal }),
  );
  const text = readDownloaded(web.content.path(digest), dockerfile.url);
  return { ...request, dockerfile: { kind: 'inline', name: 'Dockerfile', text } };
}

function readDownloaded(path: string, url: string): string {
  const what = `Dockerfile ${JSON.stringify(withoutCredentials(url))}`;
  const bytes = readLimitedFile(path, { what });
  if (bytes === undefined) throw new TbuildError('NOT_FOUND', `${what} was removed from the store during the build`);
  return bytes.toString();
}

async function fetchMain(
  request: BuildRequest,
  ports: FetchPorts,
  underway: Underway & Omit<Fetching, 'report'>,
): Promise<BuildRequest> {
  const { context } = request;
  const { signal } = underway;
  const op = mainSource(request);
  if (op === undefined) return request;
  const title = context.kind === 'git' ? remoteTitle('context', context) : UNPACKED;
  return track(underway, title, async (report) => {
    const { key, directory } = await solveAlone(
      op.kind === 'git' ? gitOp(op, underway, ports) : httpOp(op, { ...underway, report }, ports),
      ports,
      signal,
    );
    return op.kind === 'git'
      ? inDirectory(request, directory)
      : openDownloaded(request, { key, directory }, { ...ports, signal });
  });
}

const UNPACKED = '[internal] load remote build context';

/** The name that BuildKit gives to a file as the main context. */
const FILE = 'context';

/** Unpacks a downloaded archive. Another file is the Dockerfile. */
async function openDownloaded(
  request: BuildRequest,
  { key, directory }: SolvedAlone,
  {
    snapshots,
    flavour,
    unpackLimits,
    signal,
  }: Pick<Trees, 'snapshots' | 'flavour' | 'unpackLimits'> & Pick<Underway, 'signal'>,
): Promise<BuildRequest> {
  const file = join(directory, FILE);
  if (!(await isArchive(file))) return inDirectory(request, directory, { only: FILE });
  const name = hexOf(digestOf(canonicalJson({ unpack: key })));
  let snapshot = await snapshots.stat(name);
  if (snapshot === undefined) {
    await using active = await snapshots.prepare();
    await unpackTo(active.upper, file, { flavour, limits: unpackLimits, signal });
    snapshot = await active.commit(name);
  }
  return inDirectory(request, snapshot.directories.at(-1) ?? directory);
}

interface SolvedAlone {
  readonly key: StepKey;
  readonly directory: string;
}

/** Solves one step and returns the directory with its files. */
async function solveAlone(
  op: Op<ResultId>,
  { snapshots }: Pick<FetchPorts, 'snapshots'>,
  signal: AbortSignal,
): Promise<SolvedAlone> {
  const { key, run } = await op.prepare({ sources: [] }, signal);
  const snapshot = (await snapshots.stat(hexOf(key))) ?? (await snapshots.stat(hexOf(await run())));
  const directory = snapshot?.directories.at(-1);
  if (directory === undefined) throw new Error('Expected the fetched context to be kept');
  return { key, directory };
}

async function unpackForOnce(
  request: BuildRequest & { readonly context: Extract<ContextSpec, { kind: 'archive' }> },
  { store: { run: parent }, flavour, unpackLimits }: Pick<FetchPorts, 'store' | 'flavour' | 'unpackLimits'>,
  underway: Underway,
): Promise<Omit<LocalRequest, 'sources'>> {
  const { path: archive } = request.context;
  makeDirectory(parent, { mode: 0o700 });
  const directory = mkdtempSync(join(parent, 'context-'));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    const local = await track(underway, UNPACKED, async (report) => {
      chmodSync(directory, 0o755);
      const { size } = statSync(archive);
      await unpackTo(directory, archive, { flavour, limits: unpackLimits, signal: underway.signal });
      report('transferring context', size);
      return inDirectory(request, directory, { fetched: 'once' });
    });
    return { request: local, [Symbol.asyncDispose]: async () => remove() };
  } catch (error) {
    remove();
    throw error;
  }
}

async function unpackTo(
  directory: string,
  archive: string,
  { flavour, ...options }: { readonly flavour: OverlayFlavour } & Pick<UnpackOptions, 'limits' | 'signal'>,
): Promise<void> {
  const writer = createTreeWriter({ upper: directory, lowers: [], flavour });
  await unpackArchive(archive, { writer, destination: '', ...options });
  writer.finish();
}

interface DirectoryOptions {
  /** The only file, which is the Dockerfile. */
  readonly only?: string;
  readonly fetched?: 'kept' | 'once';
}

/** Resolves a path in fetched files. Their links cannot lead out of the directory. */
function inDirectory(
  request: BuildRequest,
  path: string,
  { only, fetched = 'kept' }: DirectoryOptions = {},
): BuildRequest {
  const context: ContextSpec = { kind: 'directory', path, fetched };
  const { dockerfile } = request;
  if (dockerfile.kind !== 'in-context') return { ...request, context };
  const names = only === undefined && dockerfile.path === undefined ? DEFAULT_NAMES : [only ?? dockerfile.path ?? ''];
  return { ...request, context, dockerfile: { kind: 'inline', ...readDockerfile(path, names) } };
}

/** Reads the first of these files that exists. */
function readDockerfile(root: string, names: readonly string[]): { readonly name: string; readonly text: string } {
  const context = openContext(root, { ignoreFiles: false });
  for (const name of names) {
    try {
      return { name, text: context.readText(name) };
    } catch (error) {
      if (!hasCode(error, 'NOT_FOUND')) throw error;
    }
  }
  throw new TbuildError('NOT_FOUND', `Failed to read dockerfile: open ${names[0]}: no such file or directory`, {
    hint: 'Pass its path with -f, relative to the context',
  });
}
