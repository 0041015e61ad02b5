import { hostname } from 'node:os';
import { basename } from 'node:path';
import type { BuildRequest, BuildResult, BuildRun, Services } from '@tbuild/builder';
import { type AskedRecord, buildId, listBuilds, openRecorder, type Recorder, tidyBuilds } from '@tbuild/builds';
import type { Graph } from '@tbuild/graph';
import { formatPlatform } from '@tbuild/oci';
import type { Progress } from '@tbuild/progress';
import type { BuildSettings } from '@tbuild/spec';
import { VERSION } from '../startup/version.ts';

/** A build, and where its record goes. */
export interface ToRecord {
  readonly ref: string;
  /** The name that people read. */
  readonly name: string;
  /** By target. */
  readonly requests: Readonly<Record<string, BuildRequest>>;
  readonly settings: BuildSettings;
  readonly services: Pick<Services, 'store' | 'platform' | 'now'>;
  onPlanned(graph: Graph): void;
}

type Run = Omit<BuildRun, 'signal' | 'ref'>;

/** Runs a build and leaves a record of it in the store, also when it fails. */
export async function recorded<T extends BuildResult | ReadonlyMap<string, BuildResult>>(
  { ref, name, requests, settings, services, onPlanned }: ToRecord,
  run: Run,
  work: (run: Run) => Promise<T>,
): Promise<T> {
  const { store, platform, now } = services;
  const asked: AskedRecord = {
    id: buildId(ref),
    name,
    startedAt: now(),
    host: { name: hostname(), platform: formatPlatform(platform), tbuild: VERSION },
    requests: Object.fromEntries(Object.entries(requests).map(([target, request]) => [target, withoutText(request)])),
    settings,
  };
  const recorder = openRecorder(asked, { store, now });
  const planned: Recorder['planned'] = (graph, images) => {
    recorder.planned(graph, images);
    onPlanned(graph);
  };
  let hasFailed = false;
  try {
    const made = await work(following(run, { ...recorder, planned }));
    const results: readonly [string, BuildResult][] = made instanceof Map ? [...made] : [['', made]];
    recorder.completed(
      Object.fromEntries(results.map(([target, result]) => [target, { ...result, warnings: undefined }])),
    );
    return made;
  } catch (error) {
    hasFailed = true;
    recorder.ended(error);
    throw error;
  } finally {
    tidyBuilds(store, now(), { hasFailed });
  }
}

/** Returns how long the last build of this name took that ended well, in milliseconds. */
export function timeBefore(name: string, { store }: Pick<Services, 'store'>): number | undefined {
  for (const record of listBuilds(store))
    if (record.name === name && record.status === 'completed') return record.completedAt - record.startedAt;
  return undefined;
}

function following({ progress, onDefinition, ...run }: Run, recorder: Recorder): Run {
  const both: Progress = {
    emit(event) {
      recorder.emit(event);
      progress.emit(event);
    },
  };
  return {
    ...run,
    progress: both,
    observer: recorder,
    onDefinition(definition) {
      recorder.definition(definition);
      onDefinition?.(definition);
    },
  };
}

/** Returns the name that people read, as buildx makes it: the directory, an unusual Dockerfile, the target. */
export function buildName({ context, dockerfile, target }: BuildRequest): string {
  const place = 'path' in context ? context.path : 'url' in context ? context.url : context.kind;
  const file = 'path' in dockerfile && dockerfile.path !== undefined ? basename(dockerfile.path) : 'Dockerfile';
  const stage = target === undefined ? '' : ` (${target})`;
  return `${basename(place) || place}${file === 'Dockerfile' ? '' : `/${file}`}${stage}`;
}

/** The text of a Dockerfile is among the definitions. */
function withoutText({ dockerfile, ...request }: BuildRequest): object {
  return {
    ...request,
    dockerfile: dockerfile.kind === 'inline' ? { kind: 'inline', name: dockerfile.name } : dockerfile,
  };
}
