import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GitServer } from '../../support/git-server.ts';
import type { Random } from '../../support/random.ts';
import type { FaultContext } from '../fault-row.ts';
import { buildArguments, isInternalError, runGood, runTbuild, writeFiles } from '../run-tbuild.ts';

/** Makes the repository `app.git` with a Dockerfile and a file `a`. Returns the content of the file. */
export async function commitApp(server: GitServer, random: Random): Promise<string> {
  const content = Array.from({ length: 500 + random.int(10_000) }, () => random.int(2 ** 31).toString(36)).join('');
  await server.commit('app', { Dockerfile: 'FROM scratch\nCOPY a /\n', a: content });
  await server.commit('app', { b: 'later\n' });
  return content;
}

/** A server of the repository that {@link commitApp} makes. Some of its answers have a fault. */
export interface BrokenServer<Fault extends { readonly kind: string }> {
  readonly url: string;
  readonly content: string;
  readonly fault: Fault;
  /** How many answers are right before the fault. */
  readonly before: number;
  /** How many answers have the fault. */
  readonly times: number;
  /** Whether Ctrl-C comes after the fault. */
  readonly isInterrupted: boolean;
  readonly timeout: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Sets what decides the fault of each answer. */
  onAnswer(decide: () => Fault | undefined): void;
}

/**
 * Builds from a server that fails, and again from one that works. Fails the case unless the first build survived, was ended
 * by Ctrl-C or says what failed, and the second one is right. Returns the messages of the first.
 */
export async function buildFromBroken<Fault extends { readonly kind: string }>(
  context: FaultContext,
  { url, content, fault, before, times, env = {}, ...server }: BrokenServer<Fault>,
): Promise<string> {
  const { random, directory, fail } = context;
  const source =
    random.int(2) === 0 ? url : writeFiles(join(directory, 'project'), { Dockerfile: `FROM scratch\nADD ${url} /\n` });
  const build = (output: string) => buildArguments(source, '-o', `type=local,dest=${output}`);
  const isRight = (output: string): boolean => readFileSync(join(output, 'a'), 'utf8') === content;
  const [first, next] = [join(directory, '1'), join(directory, '2')];

  let answers = 0;
  let interrupt = (): void => {};
  server.onAnswer(() => {
    const isBroken = answers >= before && answers < before + times;
    answers++;
    if (isBroken) interrupt();
    return isBroken ? fault : undefined;
  });
  const { exitCode, stderr } = await runTbuild(context, build(first), {
    env: { ...env, TBUILD_SERVER_TIMEOUT: server.timeout },
    onStart: (child) => {
      if (server.isInterrupted) interrupt = () => void setTimeout(() => child.kill('SIGINT'), 100);
    },
  });
  checkEnd(context, { exitCode, stderr, kind: fault.kind, isInterrupted: server.isInterrupted && answers > before });
  // Ctrl-C may come when the output is complete.
  if (exitCode === 1 && existsSync(first)) fail('A build that failed has an output');
  if ((exitCode === 0 || existsSync(first)) && !isRight(first)) fail('The build has another file than the repository');

  server.onAnswer(() => undefined);
  await runGood(context, build(next), { env });
  if (!isRight(next)) fail('The next build has another file than the repository');
  await runGood(context, ['fsck', '--full']);
  return stderr;
}

interface BrokenBuild {
  readonly exitCode: number | null;
  readonly stderr: string;
  /** What the server did wrong. */
  readonly kind: string;
  readonly isInterrupted: boolean;
}

function checkEnd({ fail, count }: FaultContext, { exitCode, stderr, kind, isInterrupted }: BrokenBuild): void {
  if (isInternalError(stderr)) fail('A build ends with an internal error', stderr);
  if (exitCode === 0) return count('builds that survived');
  if (isInterrupted) {
    if (exitCode !== 130) fail(`Ctrl-C ends a build with ${exitCode}`, stderr);
    return count('builds that Ctrl-C ended');
  }
  if (!/^ERROR: .*(?:Failed to fetch remote|Repository ).*app\.git/m.test(stderr))
    fail(`A build does not say what failed (${kind})`, stderr);
  count('builds that said what failed');
}
