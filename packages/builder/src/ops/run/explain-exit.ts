import { constants } from 'node:os';
import { posix } from 'node:path';
import { type FileTree, resolvePath } from '@tbuild/context';
import { suggest, TbuildError } from '@tbuild/errors';
import { searchPath, type StepEnd } from '@tbuild/executor';
import type { RunOp } from '@tbuild/graph';
import { explainKill } from './explain-kill.ts';
import { explainProgram } from './explain-program.ts';
import { hintOf } from './signals.ts';

/** A process of RUN that failed. */
export interface FailedProcess extends StepEnd {
  readonly op: Pick<RunOp, 'args' | 'cwd' | 'env' | 'platform'>;
  /** The end of its output. */
  readonly tail: string;
  /** Whether its loopback addresses are not those of the machine. */
  readonly isIsolated: boolean;
  /** The files of the step. */
  readonly tree: FileTree;
}

const LOOPBACK =
  'Use --network=host (in RUN with --allow network.host) if the service runs on this machine: ' +
  'RUN has a network of its own, in which 127.0.0.1 is the step itself';

/** The exit code of timeout(1) when the time is up. */
const TIMED_OUT = 124;
const SIGKILL = 128 + constants.signals.SIGKILL;

/** Returns a hint for an exit code or output with a common cause, found in the files of the step. */
export function explainExit(failed: FailedProcess): string | undefined {
  const { exitCode, notExecuted, tail, isIsolated } = failed;
  const refusal = isIsolated ? explainRefusal(failed) : undefined;
  if (refusal !== undefined) return refusal;
  if (exitCode === SIGKILL || /^Killed$|Killed signal terminated program/m.test(tail))
    return explainKill(failed.op.args, failed.memory);
  if (/: Too many open files/.test(tail)) return 'Raise the limit with --ulimit nofile=NUMBER, or open fewer files';
  if (exitCode === TIMED_OUT && failed.op.args.some((arg) => /\btimeout\b/.test(arg)))
    return 'Allow more time, or find out what takes it: "timeout" ended its command, which it tells by exit code 124';
  if (notExecuted === undefined && exitCode !== 126 && exitCode !== 127) return hintOf(exitCode);
  try {
    return explainNotRun(failed);
  } catch (error) {
    // Links that form a loop explain nothing.
    if (error instanceof TbuildError) return undefined;
    throw error;
  }
}

/** Returns whether a line reports a refused connection to a loopback address, as curl, wget, apt, npm, pip and Go do. */
/** Explains a refused connection in a network of its own, whose loopback is the step. */
function explainRefusal({ tail, op }: Pick<FailedProcess, 'tail' | 'op'>): string | undefined {
  const refused = tail.split('\n').filter((line) => /refused|(?:could(?: not|n't)|cannot|can't) connect/i.test(line));
  const [variable] = refused.length === 0 ? [] : op.env.flatMap((entry) => PROXY_ON_LOOPBACK.exec(entry)?.[1] ?? []);
  if (variable !== undefined)
    return (
      `Pass the proxy with --build-arg ${variable}=ADDRESS too if it runs on this machine: only that opens its port to RUN, ` +
      `and ENV ${variable} does not`
    );
  return refused.some((line) => /\b127\.\d+\.\d+\.\d+|\blocalhost\b|::1\b/.test(line)) ? LOOPBACK : undefined;
}

const PROXY_ON_LOOPBACK =
  /^((?:https?|ftp|all)_proxy)=(?:\w+:\/\/)?(?:[^@/]*@)?(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$)/i;

function explainNotRun(failed: FailedProcess): string | undefined {
  const { args, platform } = failed.op;
  const [program = ''] = args;
  const found = findProgram(program, failed);
  if (found === undefined) return missingProgram(program, failed);
  const lines = lastLines(failed.tail);
  const named = lines.flatMap((line) => line.split(/: */)).filter((word) => word.includes('/') && word !== program);
  for (const word of [program, ...named]) {
    const path = findProgram(word.replace(/['"‘’\r]/g, ''), failed);
    const hint = path === undefined ? undefined : explainProgram(path, { tree: failed.tree, platform });
    if (hint !== undefined) return hint;
  }
  // Shells print the carriage return as it is, as \r, or as ^M.
  if (lines.some((line) => /(?:\r|\\r|\^M)['’"]?:/.test(line)))
    return 'Convert the script to Unix line ends, for example with dos2unix: its lines end with CR LF';
  const missing = lines.map((line) => NOT_FOUND.exec(line)?.[1]).find((name) => name !== undefined);
  return missing === undefined ? undefined : missingCommand(missing, failed);
}

/** As dash, bash, BusyBox and env say it. */
const NOT_FOUND = /(?:^|[\s:‘'"])([^\s:‘’'"]+)['’"]?: (?:(?:command )?not found|No such file or directory)$/;

/** Returns the last lines, the very last one first. */
function lastLines(tail: string): readonly string[] {
  return tail
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-5)
    .reverse();
}

function missingProgram(program: string, failed: FailedProcess): string | undefined {
  const shown = JSON.stringify(program);
  if (failed.tree.list('').length === 0) return `Use a base image that has ${shown}: this stage has no files`;
  if (/\/(?:ba|da|z|k|a)?sh$/.test(program))
    return `Use a base image that has ${shown}, or write RUN ["PROGRAM", "ARGUMENT"]: this stage has no such shell`;
  return missingCommand(program, failed);
}

function missingCommand(name: string, failed: FailedProcess): string | undefined {
  if (findProgram(name, failed) !== undefined) return undefined;
  const near = nearProgram(name, failed);
  const lack = `the image has no ${JSON.stringify(name)}${near === undefined ? '' : `, but ${JSON.stringify(near)}`}`;
  return name.includes('/') ? `Check the path: ${lack}` : `Check the name, or install it first: ${lack}`;
}

function nearProgram(name: string, { op, tree }: FailedProcess): string | undefined {
  const directories = name.includes('/') ? [posix.resolve(op.cwd, posix.dirname(name))] : searchPath(op.env);
  const names = directories.flatMap((directory) => {
    const path = resolvePath(tree, directory, { followLast: true });
    return path === undefined ? [] : tree.list(path).map((entry) => entry.name);
  });
  const near = suggest(posix.basename(name), names);
  return near === undefined || near === posix.basename(name) ? undefined : posix.join(posix.dirname(name), near);
}

/** Returns the path of a program in the tree, links followed. */
function findProgram(name: string, { op, tree }: FailedProcess): string | undefined {
  if (name === '') return undefined;
  const candidates = name.includes('/') ? [''] : searchPath(op.env);
  for (const directory of candidates) {
    const path = resolvePath(tree, posix.resolve(op.cwd, directory, name), { followLast: true });
    if (path !== undefined) return path;
  }
  return undefined;
}
