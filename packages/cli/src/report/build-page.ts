import type { Services } from '@tbuild/builder';
import { type BuildRecord, listBuilds, type RecordedError, readEvents as eventsOf } from '@tbuild/builds';
import { type ErrorCode, hasCode, TbuildError } from '@tbuild/errors';
import { familiarReference, isDigest, parseReference } from '@tbuild/oci';
import { type BuildFacts, layerSizes, readEvents, renderPage } from '@tbuild/report';
import { formatError } from '../print/report-error.ts';
import { VERSION } from '../startup/version.ts';
import { type ImageReport, reportImages } from './image-report.ts';

type Ports = Pick<Services, 'store' | 'content' | 'platform'>;

/** Returns the page about a recorded build, with the images that it made as far as the store has them. */
export async function buildPage(record: BuildRecord, ports: Ports, signal: AbortSignal): Promise<string> {
  const { store } = ports;
  const reports = await imagesOf(record, ports, signal);
  const images = reports.flatMap((report) => report.images);
  const { steps, warnings } = readEvents(eventsOf(store, record.id), record.completedAt);
  const [image, ...others] = images;
  const sizes = image === undefined || others.length > 0 ? undefined : layerSizes(steps, image);
  const build: BuildFacts = {
    outcome: OUTCOMES[record.status],
    startedAt: record.startedAt,
    finishedAt: record.completedAt,
    error: record.error === undefined ? undefined : await errorText(record.error, record),
    steps: steps.map((step) => ({ ...step, bytes: sizes?.get(step.id) })),
    warnings,
    files: Object.entries(record.definitions).map(([name, text]) => ({ name, text })),
    before: earlierBuild(record, store),
  };
  const tables = reports.flatMap((report) => report.tables);
  return renderPage({ title: titleOf(record), madeBy: `tbuild ${VERSION}`, build, images, tables });
}

/** Returns the first name of the only image, or else the name of the build. */
function titleOf({ name, results }: BuildRecord): string {
  const [made, ...others] = Object.values(results);
  const { names: [first] = [] }: Made = Object(made);
  return first === undefined || others.length > 0 ? name : familiarReference(parseReference(first));
}

const OUTCOMES = { completed: 'built', error: 'failed', canceled: 'cancelled' } as const;

/** Returns the error as it was printed when the build failed. */
function errorText({ code, message, hint, location }: RecordedError, { definitions }: BuildRecord): Promise<string> {
  const error = new TbuildError((code ?? 'SYSTEM') as ErrorCode, message, { hint, location });
  return formatError(error, { debug: false, sourceOf: (file) => definitions[file] });
}

/** Returns the build of the same name before this one. */
function earlierBuild(record: BuildRecord, store: Ports['store']): BuildFacts['before'] {
  for (const { id, name, startedAt, completedAt, status } of listBuilds(store)) {
    if (name !== record.name || startedAt >= record.startedAt || status !== 'completed') continue;
    const { steps } = readEvents(eventsOf(store, id), completedAt);
    return { title: `Build ${id}`, startedAt, finishedAt: completedAt, steps };
  }
  return undefined;
}

/** Images of another machine, and those that were removed since, are left out. */
async function imagesOf({ results }: BuildRecord, { content, platform }: Ports, signal: AbortSignal) {
  const reports: ImageReport[] = [];
  for (const result of Object.values(results)) {
    const { manifest, names = [], id }: Made = Object(result);
    if (manifest === undefined || !isDigest(manifest.digest)) continue;
    const [name = String(id).slice(0, 19)] = names;
    try {
      reports.push(await reportImages({ name, root: manifest, content }, platform, signal));
    } catch (error) {
      if (!hasCode(error, 'NOT_FOUND')) throw error;
    }
  }
  return reports;
}

/** What is read of a recorded result, which may be that of another version. */
interface Made {
  readonly manifest?: Parameters<typeof reportImages>[0]['root'];
  readonly names?: readonly string[];
  readonly id?: string;
}
