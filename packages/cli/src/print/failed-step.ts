import { buildId, type BuildRecord, findRecord, listBuilds, type RecordedStep } from '@tbuild/builds';
import { shellQuoted } from '@tbuild/linux';
import type { StoreLayout } from '@tbuild/store';
import { formatAge } from './table.ts';

/**
 * Returns a line about the last recorded build in which the failed step of a build succeeded, with the steps before it
 * that have changed since. Returns an empty text if there is none.
 */
export function lastSuccess(store: StoreLayout, ref: string, now: number): string {
  const record = findRecord(store, buildId(ref));
  const step = record?.steps.find(({ id }) => id === record.failed?.step);
  if (record === undefined || step === undefined) return '';
  for (const earlier of listBuilds(store)) {
    const same = earlier.id < record.id && earlier.name === record.name ? stepNamed(step.name, earlier) : undefined;
    if (same?.result === undefined) continue;
    const changed = changesBefore(step, { record, earlier });
    const what = changed.length === 0 ? 'no step before it has changed since' : `changed since: ${changed.join(', ')}`;
    return `note: this step succeeded in build ${earlier.id}, ${formatAge(new Date(earlier.startedAt).toISOString(), now)}; ${what}\n`;
  }
  return '';
}

/** Returns a line with the command that opens a shell in the failed step of a build, if its tree was kept. */
export function shellNote(store: StoreLayout, ref: string, root: string | undefined): string {
  const id = buildId(ref);
  if (findRecord(store, id)?.failed === undefined) return '';
  const place = root === undefined ? '' : `--root ${shellQuoted(root)} `;
  return `note: for a shell in this step, as it failed: tbuild debug ${place}${id}\n`;
}

/** Finds a step by its stage and command; its number may be another. */
function stepNamed(name: string, { steps }: BuildRecord): RecordedStep | undefined {
  const wanted = withoutNumber(name);
  return steps.find((step) => withoutNumber(step.name) === wanted);
}

function withoutNumber(name: string): string {
  return name.replace(/ *\d+\/\d+\]/, ']');
}

interface TwoBuilds {
  readonly record: BuildRecord;
  readonly earlier: BuildRecord;
}

/** Returns the names of the steps that a step builds on and that gave something else, but not of those that follow from them. */
function changesBefore(step: RecordedStep, builds: TwoBuilds): readonly string[] {
  const byId = new Map(builds.record.steps.map((one) => [one.id, one]));
  const roots = new Map<string, string>();
  const known = new Map<string, boolean>();
  const hasChanged = (id: string): boolean => {
    const changed = known.get(id) ?? compare(byId.get(id));
    known.set(id, changed);
    return changed;
  };
  const compare = (one: RecordedStep | undefined): boolean => {
    if (one === undefined) return false;
    const below = inputsOf(one).map(hasChanged);
    if (below.includes(true)) return true;
    if (stepNamed(one.name, builds.earlier)?.result === one.result) return false;
    roots.set(one.id, one.name);
    return true;
  };
  for (const id of inputsOf(step)) hasChanged(id);
  return [...roots.values()];
}

function inputsOf({ base, sources }: RecordedStep): readonly string[] {
  return base === undefined ? sources : [base, ...sources];
}
