import { type BakeFile, type BakeFiles, printDefinition, type Resolved } from '@tbuild/bake';
import type { BuildResult } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { createChannel } from '@tbuild/progress';
import type { BuildSettings } from '@tbuild/spec';
import { askedTargets, checkTargets } from '../bake/asked-targets.ts';
import { isRemoteDefinition, loadBake } from '../bake/load-bake.ts';
import { overridesOf, parseList, type BakeFlags } from '../bake/overrides.ts';
import type { Environment } from '../config/environment.ts';
import { storeRoot } from '../config/store-root.ts';
import { type OnError, onErrorOf } from '../debug/on-error.ts';
import { type BuildEnd, reportFailure, withRetries } from '../debug/with-retries.ts';
import { describeFlags, parseArgs } from '../flags/args.ts';
import { bakeFlags } from '../flags/bake-flags.ts';
import { jobsOf, settingsFromFlags } from '../flags/build-spec.ts';
import { withJobMetadata } from '../gitlab/job-metadata.ts';
import { buildMetadata, metadataParts, type MetadataParts, warningMetadata } from '../print/build-metadata.ts';
import { requireSbom } from '../print/cyclonedx-file.ts';
import { headerFacts } from '../print/header-facts.ts';
import { displayModeOf, openDisplay } from '../print/open-display.ts';
import { exitCodeOf, formatError } from '../print/report-error.ts';
import {
  checkDotenvNames,
  checkResultFiles,
  writeCycloneDx,
  writeDotenv,
  writeMetadata,
} from '../print/result-files.ts';
import { reportBuild } from '../report/report-build.ts';
import { withGitLabels } from '../request/git-labels.ts';
import { openBake, type AskedTarget } from '../services/open-build.ts';
import type { Command } from './command.ts';

const USAGE = `Usage: tbuild bake [OPTIONS] [TARGET ...]
       tbuild bake [OPTIONS] URL [TARGET ...]

Build the targets of a bake or compose file as one build.
`;

export const bake: Command = {
  summary: 'Build the targets of a bake or compose file',
  usage: 'bake [OPTIONS] [URL] [TARGET ...]',
  flags: bakeFlags,
  async run(argv, env) {
    const { flags, positional } = parseArgs(argv, bakeFlags);
    if (flags.help === true) {
      env.stdout.write(`${USAGE}\n${describeFlags(bakeFlags)}\n`);
      return 0;
    }
    const texts = new Map<string, string>();
    const sourceOf = (file: string): string | undefined => texts.get(file);
    const onDefinition = ({ name, text }: BakeFile): void => void texts.set(name, text);
    const settings = settingsFromFlags(flags);
    const display = displayModeOf(flags, env);
    try {
      return await bakeAsAsked({ flags, positional, settings, display, sourceOf, onDefinition }, env);
    } catch (error) {
      const store = storeRoot(settings.root, env);
      const { columns } = env.stderr;
      env.stderr.write(await formatError(error, { debug: flags.debug ?? false, store, sourceOf, columns }));
      return exitCodeOf(error);
    }
  },
};

interface AskedBake {
  readonly flags: BakeFlags;
  readonly positional: readonly string[];
  readonly settings: BuildSettings;
  readonly display: ReturnType<typeof displayModeOf>;
  /** Returns the text of a file that an error points into. */
  sourceOf(file: string): string | undefined;
  /** Receives each file that is read. */
  onDefinition(file: BakeFile): void;
}

async function bakeAsAsked(asked: AskedBake, env: Environment): Promise<number> {
  const { flags, positional, settings, display, onDefinition } = asked;
  const list = flags.list === undefined ? undefined : parseList(flags.list);
  checkResultFiles(flags, env.cwd);
  const [first, ...rest] = positional;
  const remote = isRemoteDefinition(first) ? first : undefined;
  const names = remote === undefined ? positional : rest;
  const wanted = {
    files: flags.file ?? [],
    variables: flags.var ?? [],
    settings,
    mode: display.mode,
    ...(remote === undefined ? {} : { remote }),
  };
  const loaded = await loadBake(wanted, env, onDefinition);
  await showWarnings(loaded, asked, env);
  if (list !== undefined) {
    env.stdout.write((await import('../bake/bake-list.ts')).bakeList(list, loaded));
    return 0;
  }
  const resolved = loaded.resolve(names, overridesOf(flags));
  if (flags.print === true) {
    checkTargets(resolved);
    env.stdout.write(printDefinition(resolved));
    return 0;
  }
  const targets = askedTargets(resolved, env);
  checkDotenvNames(
    targets.flatMap(({ name, isLink }) => (isLink ? [] : name)),
    flags,
  );
  return buildTargets({ resolved, targets }, asked, env);
}

async function showWarnings(
  { warnings }: BakeFiles,
  { sourceOf, flags }: AskedBake,
  { stderr }: Environment,
): Promise<void> {
  const reset = (flags.set ?? [])
    .filter((text) => /^[^=]*\.network\+?=/.test(text))
    .map((text) => ({
      message: `--set ${JSON.stringify(text)} resets the network, as buildx does`,
      hint: 'Set network in the bake file, with a variable for its value',
      location: undefined,
    }));
  for (const { message, hint, location } of [...warnings, ...reset]) {
    const warning = new TbuildError('BAKE_FILE', message, { hint, location });
    const report = await formatError(warning, { debug: false, sourceOf, columns: stderr.columns });
    stderr.write(report.replace(/^ERROR:/m, 'WARN:'));
  }
}

interface ToBuild {
  readonly resolved: Resolved;
  readonly targets: readonly AskedTarget[];
}

async function buildTargets(
  { resolved, targets: wanted }: ToBuild,
  asked: AskedBake,
  env: Environment,
): Promise<number> {
  const { flags } = asked;
  const onError = onErrorOf(flags['on-error'], env);
  const { requireGrants } = await import('../bake/entitlements.ts');
  const { hasCalls } = await import('../bake/bake-calls.ts');
  const allow = hasCalls(resolved) ? [] : await requireGrants(resolved.targets.values(), flags.allow ?? [], env);
  const jobs = flags.jobs === undefined ? undefined : jobsOf(flags.jobs);
  const labelled = async (target: AskedTarget): Promise<AskedTarget> => {
    const spec = await withGitLabels({ ...target.spec, allow, jobs }, env);
    return { ...target, spec: flags['gitlab-metadata'] === true ? withJobMetadata(spec, env) : spec };
  };
  const targets = await Promise.all(wanted.map(labelled));
  return withRetries(onError, env, () => buildOnce({ resolved, targets, onError }, asked, env));
}

async function buildOnce(
  { resolved, targets, onError }: ToBuild & { readonly onError: OnError },
  { flags, settings, display: { mode, quiet }, sourceOf, onDefinition }: AskedBake,
  env: Environment,
): Promise<BuildEnd> {
  const { bakeCalls, hasCalls } = await import('../bake/bake-calls.ts');
  const isCall = hasCalls(resolved);
  const progress = createChannel();
  await using opened = openBake({ targets, settings, timeout: flags.timeout }, env, progress);
  requireSbom(
    flags['cyclonedx-file'],
    opened.targets.map(({ request }) => request),
  );
  const { explain, debug } = flags;
  const requests = opened.targets.filter(({ isLink }) => !isLink).map(({ request }) => request);
  const facts = mode === 'tty' ? headerFacts(opened, requests) : {};
  const shown = { mode, explain, debug, ...facts, now: opened.services.now, sourceOf };
  const endDisplay = openDisplay(progress, shown, env);
  try {
    if (isCall) {
      const { output, error, exitCode } = await bakeCalls(resolved, opened, { run: { progress, onDefinition }, env });
      await endDisplay();
      env.stdout.write(output);
      if (error !== undefined) throw error;
      return { exitCode };
    }
    const metadata = metadataParts(flags['metadata-file'], env);
    const results = await opened.run({ onDefinition, withProvenance: metadata.provenance !== 'disabled' });
    await endDisplay();
    writeMetadata(metadataOf(results, metadata), flags, env.cwd);
    await writeCycloneDx([...results.values()], flags, env.cwd);
    writeDotenv(results, flags, env.cwd);
    if (quiet) for (const { id } of results.values()) env.stdout.write(`${id}\n`);
    if (mode === 'tty') {
      const { buildSummary } = await import('../print/build-summary.ts');
      const outputsOf = (name: string) => opened.targets.find((target) => target.name === name)?.request.outputs ?? [];
      const made = [...results].map(([target, result]) => ({ target, result, outputs: outputsOf(target) }));
      env.stderr.write(buildSummary(made, opened));
    }
    return { exitCode: 0 };
  } catch (error) {
    await endDisplay();
    const secretsOf = (name: string) => targets.find((target) => target.name === name)?.readSecret;
    // Whether the disk is full shows while the build holds what it wrote.
    return await reportFailure(error, { opened, flags, onError, sourceOf, secretsOf }, env);
  } finally {
    await endDisplay();
    if (!isCall) await reportBuild(flags.report, opened, env);
  }
}

/** The warnings of all targets come together, as those of buildx do. */
function metadataOf(results: ReadonlyMap<string, BuildResult>, { provenance, warnings }: MetadataParts): object {
  const documents = [...results].map(([name, result]) => [name, buildMetadata(result, provenance)]);
  const all = warnings ? [...results.values()].flatMap((result) => result.warnings) : [];
  return { ...Object.fromEntries(documents), ...warningMetadata(all) };
}
