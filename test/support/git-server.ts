import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { isLfs, serveLfs } from './lfs-server.ts';
import { runChecked } from './run-process.ts';
import { scratchDirectory } from './scratch.ts';
import { writeFiles } from './tbuild.ts';
import { listen, type ListeningServer } from './web-server.ts';

export interface GitServer extends ListeningServer {
  /** Commits the files on `branch` (the first commit creates the repository), publishes, and returns the commit's id. */
  commit(repository: string, files: Readonly<Record<string, string>>, branch?: string): Promise<string>;
  /** Runs git in the working copy that `commit` writes to, and publishes. */
  git(repository: string, ...args: readonly string[]): Promise<string>;
  /** Publishes another working copy under a name. */
  publish(work: string, name: string): Promise<void>;
  /** The directory of the published repositories. */
  readonly directory: string;
}

export interface GitServerOptions {
  /** The `Authorization` header that reading requires. */
  readonly authorization?: string;
}

/** Serves real repositories with git's own HTTP backend, and the objects of Git LFS that their working copies have. */
export async function startGitServer({ authorization }: GitServerOptions = {}): Promise<GitServer> {
  const directory = scratchDirectory('git');
  const server = await listen((request, response) => {
    if (authorization === undefined || request.headers.authorization?.toLowerCase() === authorization.toLowerCase()) {
      return isLfs(request) ? serveLfs(directory, request, response) : serve(directory, request, response);
    }
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
  });
  const run = async (repository: string, args: readonly string[]): Promise<string> => {
    const output = await git(join(directory, 'work', repository), args);
    await git(join(directory, 'work', repository), [
      'push',
      '--quiet',
      '--mirror',
      join(directory, `${repository}.git`),
    ]);
    return output.trim();
  };
  return {
    ...server,
    directory,
    git: (repository, ...args) => run(repository, args),
    async publish(work, name) {
      await git(work, ['clone', '--quiet', '--bare', work, join(directory, name)]);
    },
    async commit(repository, files, branch = 'main') {
      const work = join(directory, 'work', repository);
      if (mkdirSync(work, { recursive: true }) !== undefined) {
        await git(work, ['init', '--quiet', '--initial-branch', branch]);
        await git(work, [
          'init',
          '--quiet',
          '--bare',
          '--initial-branch',
          branch,
          join(directory, `${repository}.git`),
        ]);
      } else await git(work, ['checkout', '--quiet', '-B', branch]);
      writeFiles(files, work);
      await git(work, ['add', '--all']);
      await run(repository, ['commit', '--quiet', '--message', 'change']);
      return run(repository, ['rev-parse', 'HEAD']);
    },
  };
}

function git(cwd: string, args: readonly string[]): Promise<string> {
  const person = ['-c', 'user.name=test', '-c', 'user.email=test@example.invalid', '-c', 'protocol.file.allow=always'];
  return runChecked('git', [...person, ...args], { cwd });
}

/** Implements as much of the Common Gateway Interface as git's program needs. */
function serve(directory: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://server');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: '/usr/bin:/bin',
      GIT_PROJECT_ROOT: directory,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.on('error', () => undefined);
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('close', () => answer(Buffer.concat(chunks), response));
}

function answer(output: Buffer, response: ServerResponse): void {
  const end = output.indexOf('\r\n\r\n');
  const lines = output.toString('latin1', 0, end).split('\r\n');
  const headers = Object.fromEntries(lines.map((line) => line.split(': ', 2) as [string, string]));
  const { Status: status = '200', ...rest } = headers;
  response.writeHead(Number.parseInt(status, 10), rest).end(output.subarray(end + 4));
}
