import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openContext } from '@tbuild/context';
import { isArchive, unpackArchive } from '@tbuild/diff';
import { hasCode, TbuildError } from '@tbuild/errors';
import { SOURCE_DATE_EPOCH } from '@tbuild/frontend';
import type { GitOp, HttpOp, ResultId, StepKey } from '@tbuild/graph';
import { readLimitedFile } from '@tbuild/linux';
import { canonicalJson, digestOf, hexOf } from '@tbuild/oci';
import type { ReportTransfer } from '@tbuild/progress';
import { createTreeWriter } from '@tbuild/snapshot';
import type { Op } from '@tbuild/solver';
import { fetchUrl, shownUrl } from '@tbuild/sources';
import type { BuildEnvironment, BuildRun } from '../build-run.ts';
import { gitOp } from '../ops/fetch/git.ts';
import { httpOp } from '../ops/fetch/http.ts';
import type { BuildRequest, ContextSpec } from '../request.ts';
import type { Services } from '../services.ts';
import { track } from '../track.ts';
import { gitOpOf, remoteTitle } from './remote-op.ts';
import { createResolvedSources, type ResolvedSources } from './resolved-sources.ts';

/** A request whose main context is a local directory. Disposing removes what was unpacked for it. */
export interface LocalRequest extends AsyncDisposable {
  readonly request: BuildRequest;
  /** The sources that were read for it. */
  readonly sources: ResolvedSources;
}

interface Environment extends Omit<BuildEnvironment, 'request'> {
  readonly sources: ResolvedSources;
}

/**
 * Fetches or unpacks the main context and the Dockerfile, unless they are local.
 * @throws TbuildError as the ops of ADD; SNAPSHOT for a damaged archive; NOT_FOUND without a Dockerfile.
 */
export async function fetchContext(request: BuildRequest, services: Services, run: BuildRun): Promise<LocalRequest> {
  const env: Environment = { ...run, services, now: () => services.now(), sources: createResolvedSources() };
  return { sources: env.sources, ...(await fetchMain(await fetchDefinition(request, env), env)) };
}

/** Returns what fetches the main context, if it is on another machine. */
export function mainSource({ context, buildArgs }: BuildRequest): GitOp | HttpOp | undefined {
  if (context.kind === 'http') return { kind: 'http', url: context.url, filename: FILE };
  if (context.kind !== 'git') return undefined;
  const keepGitDir = /^(1|t|true)$/i.test(buildArgs.BUILDKIT_CONTEXT_KEEP_GIT_DIR ?? '');
  const commitTime = (buildArgs[SOURCE_DATE_EPOCH] ?? '') !== '';
  return gitOpOf({ keepGitDir, commitTime, ...context });
}

async function fetchDefinition(request: BuildRequest, env: Environment): Promise<BuildRequest> {
  const { dockerfile } = request;
  if (dockerfile.kind !== 'url') return request;
  const { services, signal } = env;
  const { digest } = await track(env, `[internal] load ${shownUrl(dockerfile.url)}`, (report) =>
    fetchUrl(dockerfile.url, services, { readSecret: (id) => env.readSecret?.(id), report, signal }),
  );
  return {
    ...request,
    dockerfile: {
      kind: 'inline',
      name: 'Dockerfile',
      text: readDownloaded(services.content.path(digest), dockerfile.url),
    },
  };
}

function readDownloaded(path: string, url: string): string {
  const what = `Dockerfile ${JSON.stringify(shownUrl(url))}`;
  const bytes = readLimitedFile(path, { what });
  if (bytes === undefined) throw new TbuildError('NOT_FOUND', `${what} was removed from the store during the build`);
  return bytes.toString();
}

async function fetchMain(request: BuildRequest, env: Environment): Promise<Omit<LocalRequest, 'sources'>> {
  const { context } = request;
  if (context.kind === 'archive') return unpackForOnce(request, context.path, env);
  const op = mainSource(request);
  if (op === undefined || (context.kind !== 'git' && context.kind !== 'http'))
    return { request, [Symbol.asyncDispose]: async () => {} };
  const local = await track(env, mainTitle(context), (report) => {
    const fetching = { ...env, report };
    return op.kind === 'git' ? fetchGit(request, op, fetching) : fetchHttp(request, op, fetching);
  });
  return { request: local, [Symbol.asyncDispose]: async () => {} };
}

function mainTitle(context: Extract<ContextSpec, { kind: 'git' | 'http' }>): string {
  return context.kind === 'git' ? remoteTitle('context', context) : UNPACKED;
}

const UNPACKED = '[internal] load remote build context';

interface Fetching extends Environment {
  readonly report: ReportTransfer;
}

async function fetchGit(request: BuildRequest, op: GitOp, env: Fetching): Promise<BuildRequest> {
  return inDirectory(request, (await solveAlone(gitOp, op, env)).directory);
}

/** The name that BuildKit gives to a file as the main context. */
const FILE = 'context';

async function fetchHttp(request: BuildRequest, op: HttpOp, env: Fetching): Promise<BuildRequest> {
  const { key, directory } = await solveAlone(httpOp, op, env);
  const file = join(directory, FILE);
  if (!(await isArchive(file))) return inDirectory(request, directory, { only: FILE });
  const { snapshots } = env.services;
  const name = hexOf(digestOf(canonicalJson({ unpack: key })));
  let snapshot = await snapshots.stat(name);
  if (snapshot === undefined) {
    await using active = await snapshots.prepare();
    await unpackTo(active.upper, file, env);
    snapshot = await active.commit(name);
  }
  return inDirectory(request, snapshot.directories.at(-1) ?? directory);
}

/** Solves one step and returns the directory with its files. */
async function solveAlone<O extends GitOp | HttpOp>(
  make: (op: O, context: Parameters<typeof gitOp>[1]) => Op<ResultId>,
  op: O,
  { services, signal, report, sources, ...env }: Fetching,
): Promise<{ readonly key: StepKey; readonly directory: string }> {
  const readSecret = (id: string) => env.readSecret?.(id);
  const { key, run } = await make(op, { services, readSecret, report, sources }).prepare({ sources: [] }, signal);
  const snapshot = (await services.snapshots.stat(hexOf(key))) ?? (await services.snapshots.stat(hexOf(await run())));
  const directory = snapshot?.directories.at(-1);
  if (directory === undefined) throw new Error(`Context ${op.url} was not kept`);
  return { key, directory };
}

async function unpackForOnce(
  request: BuildRequest,
  archive: string,
  env: Environment,
): Promise<Omit<LocalRequest, 'sources'>> {
  const parent = env.services.store.run;
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const directory = mkdtempSync(join(parent, 'context-'));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    const local = await track(env, UNPACKED, async (report) => {
      chmodSync(directory, 0o755);
      const { size } = statSync(archive);
      await unpackTo(directory, archive, env);
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
  { services: { flavour }, signal }: Environment,
): Promise<void> {
  const writer = createTreeWriter({ upper: directory, lowers: [], flavour });
  await unpackArchive(archive, { writer, destination: '', signal });
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
  const name = only ?? dockerfile.path;
  return { ...request, context, dockerfile: { kind: 'inline', name, text: readDockerfile(path, name) } };
}

function readDockerfile(root: string, name: string): string {
  try {
    return openContext(root, { ignoreFiles: false }).readText(name);
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error;
    throw new TbuildError('NOT_FOUND', `No Dockerfile at ${JSON.stringify(name)} in the context`, {
      hint: 'Pass its path with -f, relative to the context',
    });
  }
}
