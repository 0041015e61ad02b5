import { existsSync } from 'node:fs';
import type { BuildRequest, ShellPlace } from '@tbuild/builder';
import { type BuildRecord, buildRef, type RecordedStep } from '@tbuild/builds';
import { TbuildError } from '@tbuild/errors';
import { type ResultId, resultId, type RunOp, type Step } from '@tbuild/graph';
import { isDigest } from '@tbuild/oci';
import type { NetworkMode } from '@tbuild/spec';
import { thisPlatform } from '../services/create-services.ts';

export interface PlaceOptions {
  /** The state that the step saw, not the one that it left. */
  readonly before: boolean;
  /** The network of the shell, instead of that of the step. */
  readonly network?: NetworkMode;
  /** Agents beside those of the build. */
  readonly ssh?: BuildRequest['ssh'];
  /** Returns what reads the secrets of a target. */
  secretsOf(target: string): ((id: string) => Buffer | undefined) | undefined;
  /** Returns the variables of a step where its build is known better than by its record. */
  variablesOf?(step: string): readonly string[] | undefined;
}

/**
 * Returns the place of a step of a build that ended.
 * @throws TbuildError NOT_FOUND for a step that did not run.
 */
export function shellPlace(record: BuildRecord, step: RecordedStep, options: PlaceOptions): ShellPlace {
  const { before, network, secretsOf, variablesOf } = options;
  const byId = new Map(record.steps.map((one) => [one.id, one]));
  const bases = record.steps.flatMap((one) => (one.image === undefined ? [] : [{ step: plain(one), op: one.image }]));
  const base = step.base === undefined ? undefined : byId.get(step.base)?.result;
  const left = record.failed?.step === step.id ? record.failed.tree : step.result;
  const tree = before ? step.base && resultOf(base, step) : resultOf(left, step);
  const name = step.target ?? '';
  const request = requestOf(record, name);
  const target = {
    name,
    ref: buildRef(record.id),
    request: { ...request, network: network ?? request.network, ssh: { ...reachable(request.ssh), ...options.ssh } },
    isLink: false,
    secretScope: '',
    readSecret: secretsOf(name),
  };
  const recorded = step.run ?? surroundings(record, step, byId);
  const op = { ...recorded, env: variablesOf?.(step.id) ?? recorded.env };
  return {
    target,
    step: plain(step),
    // How a shell's own network is made is a setting of the build.
    op: network === undefined ? op : { ...op, network: network === 'pasta' ? 'default' : network },
    tree: tree === undefined ? undefined : resultOf(tree, step),
    sources: step.run === undefined ? [] : step.sources.map((id) => resultOf(byId.get(id)?.result, step)),
    bases,
  };
}

function resultOf(text: string | undefined, { name }: RecordedStep): ResultId {
  if (text !== undefined && isDigest(text)) return resultId(text);
  throw new TbuildError('NOT_FOUND', `Step ${JSON.stringify(name)} did not run in this build`, {
    hint: 'Use --before for the state that it would have seen, or name an earlier step with --at',
  });
}

/** Returns the requests of a build. This program wrote them, in the form that it reads. */
export function requestsOf({ requests }: BuildRecord): readonly BuildRequest[] {
  return Object.values(requests) as BuildRequest[];
}

/** The Dockerfile is the text that was built. */
function requestOf({ requests, definitions }: BuildRecord, target: string): BuildRequest {
  const request = requests[target] ?? Object.values(requests)[0];
  const [text = 'FROM scratch\n'] = Object.values(definitions);
  return { ...(request as BuildRequest), dockerfile: { kind: 'inline', text, name: 'Dockerfile' } };
}

/** Leaves out the agents and keys that are gone. */
function reachable(ssh: BuildRequest['ssh']): BuildRequest['ssh'] {
  return Object.fromEntries(Object.entries(ssh).filter(([, { paths }]) => paths.every((path) => existsSync(path))));
}

/** A step as the graph of a new build would have it; only its name and place matter. */
function plain({ id, name, location, target }: RecordedStep): Step {
  const op = { kind: 'mkdir', path: '/', mode: 0o755, user: '' } as const;
  return { id: id as Step['id'], op, sources: [], name, noCache: false, location, target };
}

/** Returns what a process would have around it at a step that is no RUN: as in the image, or in the nearest RUN below. */
function surroundings({ images }: BuildRecord, step: RecordedStep, byId: ReadonlyMap<string, RecordedStep>): RunOp {
  let run: RunOp | undefined;
  for (let one: RecordedStep | undefined = step; one !== undefined && run === undefined;)
    [run, one] = [one.run, one.base === undefined ? undefined : byId.get(one.base)];
  const image = images.find((one) => one.step === step.id);
  const { env = run?.env ?? [], cwd = run?.cwd ?? '/', user = run?.user ?? '' } = image ?? {};
  const rest = { kind: 'run', args: [], mounts: [], network: 'default', security: 'sandbox' } as const;
  return { ...rest, env, cwd, user, hostname: 'buildkitsandbox', platform: run?.platform ?? thisPlatform() };
}
