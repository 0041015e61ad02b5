import type { LintWarning } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import type { BuildRun, Underway } from '../build-run.ts';
import type { BuildRequest } from '../request.ts';
import { distinctName } from '../session/distinct-name.ts';
import { readEpoch } from '../session/epoch.ts';
import { fetchContext, type FetchPorts } from '../session/fetch-context.ts';
import { openContexts } from '../session/open-contexts.ts';
import { targetProgress } from '../session/target-progress.ts';
import { loadDefinition } from './load-definition.ts';
import type { Definition } from './load-dockerfile.ts';
import { openPlanning, type PlanInputs, type Planning, type PlanPorts, planRequest } from './plan-request.ts';

/** A Dockerfile that locations refer to. */
export type DockerfileSource = Pick<Definition, 'name' | 'text'>;

/** What answering without a build uses. */
export type CallPorts = FetchPorts & PlanPorts;

/** How to answer a call about a request, which may be one of several targets. */
export interface CallRun extends BuildRun {
  readonly place?: CallTarget;
}

/** The place of a request among the targets of a bake. */
export interface CallTarget {
  readonly name: string;
  /** All targets, which may be contexts of each other. */
  readonly targets: ReadonlyMap<string, BuildRequest>;
  /** The texts of the Dockerfiles so far, by the names that locations refer to. */
  readonly definitions: Map<string, string>;
}

/** A request whose files are local. Disposing removes what was unpacked for it. */
export interface OpenCall extends AsyncDisposable {
  /** The Dockerfile, once it is read. */
  readonly source: DockerfileSource | undefined;
  /** Loads the Dockerfile. @throws TbuildError DOCKERFILE_SYNTAX, NOT_FOUND, USAGE for a wrong `SOURCE_DATE_EPOCH`. */
  load(onWarning?: (warning: LintWarning) => void): Promise<LoadedCall>;
}

interface LoadedCall {
  readonly inputs: PlanInputs;
  /** Plans the targets that are contexts of the request. @throws TbuildError as planning does. */
  openPlanning(): Promise<Planning>;
}

interface Call extends CallRun {
  /** The graph of the request that this one is a context of. */
  readonly graph?: Planning['graph'];
}

/** Opens a request to plan it without a build. @throws TbuildError as `fetchContext`. */
export async function openCall(request: BuildRequest, ports: CallPorts, run: Call): Promise<OpenCall> {
  const { place, signal } = run;
  const progress = place === undefined ? run.progress : targetProgress(place.name, run.progress);
  const underway: Underway = { progress, signal, now: () => ports.now() };
  const local = await fetchContext(request, ports, { ...underway, readSecret: (id) => run.readSecret?.(id) });
  let source: DockerfileSource | undefined;
  return {
    get source() {
      return source;
    },
    async load(onWarning) {
      const loaded = await loadDefinition(local.request, {
        ...underway,
        ...(onWarning === undefined ? {} : { onWarning }),
        ...(place === undefined
          ? {}
          : { nameOf: (definition: Definition) => distinctName(definition, place.name, place.definitions) }),
        onDefinition(definition) {
          source = definition;
          run.onDefinition?.(definition);
        },
      });
      readEpoch({ loaded, given: request }, ports);
      const parsed = { request: local.request, loaded };
      return {
        inputs: { ...parsed, contexts: openContexts(parsed, ports.store, underway) },
        async openPlanning() {
          const planning = openPlanning(local.request, ports, underway);
          const { graph = planning.graph } = run;
          return { ...planning, graph, linked: await planLinked(local.request, ports, { ...run, graph }) };
        },
      };
    },
    [Symbol.asyncDispose]: () => local[Symbol.asyncDispose](),
  };
}

/** Plans the targets that are contexts of a request. */
async function planLinked(
  { namedContexts }: BuildRequest,
  ports: CallPorts,
  run: Call,
): Promise<NonNullable<Planning['linked']>> {
  const names = Object.values(namedContexts).flatMap((spec) => (spec.kind === 'target' ? [spec.name] : []));
  const { place } = run;
  const plans = new Map<string, Awaited<ReturnType<typeof planRequest>>>();
  for (const name of new Set(names)) {
    const request = place?.targets.get(name);
    if (place === undefined || request === undefined)
      throw new TbuildError(
        'USAGE',
        `No target has the name ${JSON.stringify(name)}, which is a context of another one`,
      );
    await using call = await openCall(request, ports, { ...run, place: { ...place, name } });
    const loaded = await call.load(() => {});
    plans.set(name, await planRequest(loaded.inputs, await loaded.openPlanning()));
  }
  return plans;
}
