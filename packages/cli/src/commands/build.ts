import type { BuildRun } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { createChannel } from '@tbuild/progress';
import type { Environment } from '../config/environment.ts';
import { type OnError, onErrorOf } from '../debug/on-error.ts';
import { type BuildEnd, reportFailure, withRetries } from '../debug/with-retries.ts';
import { describeFlags, parseArgs, type ParsedArgs } from '../flags/args.ts';
import { buildFlags } from '../flags/build-flags.ts';
import { settingsFromFlags, specFromFlags, type BuildFlags } from '../flags/build-spec.ts';
import { foreignOptions } from '../flags/foreign-options.ts';
import { ignoredOptions } from '../flags/ignored-flags.ts';
import { withJobMetadata } from '../gitlab/job-metadata.ts';
import { metadataParts } from '../print/build-metadata.ts';
import { requireSbom } from '../print/cyclonedx-file.ts';
import { headerFacts } from '../print/header-facts.ts';
import { displayModeOf, openDisplay } from '../print/open-display.ts';
import { checkResultFiles, writeCycloneDx, writeResultFiles } from '../print/result-files.ts';
import { reportBuild } from '../report/report-build.ts';
import { withGitLabels } from '../request/git-labels.ts';
import { onStandardOutput } from '../request/outputs.ts';
import { parseSecrets } from '../request/secrets.ts';
import { interruptible } from '../services/interruptible.ts';
import { openBuild, type AskedBuild, type OpenBuild } from '../services/open-build.ts';
import { parseCall, withFormat, type CallSpec } from './call/call-spec.ts';
import type { CallResult } from './call/run-call.ts';
import type { Command } from './command.ts';

export const build: Command = {
  summary: 'Build an image from a Dockerfile (may be left out)',
  usage: '[build] [OPTIONS] CONTEXT',
  flags: buildFlags,
  async run(argv, env) {
    const { flags, positional } = parseArgs(argv, buildFlags, foreignOptions);
    if (flags.help === true) {
      env.stdout.write(
        `Usage: tbuild [build] [OPTIONS] CONTEXT\n\nBuild an image from a Dockerfile.\n\n${describeFlags(buildFlags)}\n`,
      );
      return 0;
    }
    const onError = onErrorOf(flags['on-error'], env);
    return withRetries(onError, env, () => buildAsAsked({ flags, positional, onError }, env));
  },
};

/** Builds once, and reports a failure. */
export async function buildAsAsked(
  { flags, positional, onError }: ParsedArgs<typeof buildFlags> & { readonly onError: OnError },
  env: Environment,
): Promise<BuildEnd> {
  const readSecret = parseSecrets(flags.secret ?? [], env);
  const call = callOf(flags);
  const { mode, quiet } = displayModeOf(flags, env);
  checkResultFiles(flags, env.cwd);
  const progress = createChannel();
  await using opened = openBuild(await askedBuild({ flags, positional }, env), env, progress);
  requireSbom(flags['cyclonedx-file'], [opened.request]);
  let definition: string | undefined;
  const onDefinition = ({ text }: { readonly text: string }): void => void (definition = text);
  const { debug, explain } = flags;
  const facts = mode === 'tty' ? headerFacts(opened, [opened.request]) : {};
  const shown = { mode, debug, explain, ...facts, now: opened.services.now, sourceOf: () => definition };
  const endDisplay = openDisplay(progress, shown, env);
  for (const message of ignoredOptions(flags)) progress.emit({ type: 'warning', message });
  try {
    if (call !== undefined) {
      const answer = await answerCall(call, opened, { run: { progress, readSecret, onDefinition }, env });
      await endDisplay();
      env.stdout.write(answer.output);
      if (answer.error !== undefined) throw answer.error;
      return { exitCode: answer.exitCode };
    }
    const metadata = metadataParts(flags['metadata-file'], env);
    const withProvenance = metadata.provenance !== 'disabled';
    const result = await opened.run({ readSecret, onDefinition, withProvenance });
    await endDisplay();
    writeResultFiles(result, flags, { cwd: env.cwd, metadata });
    await writeCycloneDx([result], flags, env.cwd);
    // An archive on standard output ends with its last byte, as in buildx.
    if (quiet && onStandardOutput(opened.request.outputs) === undefined) env.stdout.write(`${result.id}\n`);
    if (mode === 'tty') {
      const { buildSummary } = await import('../print/build-summary.ts');
      env.stderr.write(buildSummary([{ result, outputs: opened.request.outputs }], opened));
    }
    return { exitCode: 0 };
  } catch (error) {
    await endDisplay();
    const report = { opened, flags, onError, sourceOf: () => definition, secretsOf: () => readSecret };
    return await reportFailure(error, report, env);
  } finally {
    if (call === undefined) await reportBuild(flags.report, opened, env);
  }
}

/** @throws TbuildError USAGE for a format without a call, which is Buildah's option. */
function callOf({ print, call = print, check, format }: BuildFlags): CallSpec | undefined {
  const spec = parseCall(call ?? '') ?? (check === true ? parseCall('check') : undefined);
  if (spec !== undefined) return withFormat(spec, format);
  if (format === undefined) return undefined;
  throw new TbuildError('USAGE', '--format is for --check and --call', {
    hint: 'For the format of the image, use -o type=image,oci-mediatypes=true|false',
  });
}

async function askedBuild({ flags, positional }: ParsedArgs<typeof buildFlags>, env: Environment): Promise<AskedBuild> {
  const spec = await withGitLabels(specFromFlags(flags, positional, env), env);
  return {
    spec: flags['gitlab-metadata'] === true ? withJobMetadata(spec, env) : spec,
    settings: settingsFromFlags(flags),
  };
}

async function answerCall(
  call: CallSpec,
  { request, services }: OpenBuild,
  { run, env }: { readonly run: Omit<BuildRun, 'signal'>; readonly env: Environment },
): Promise<CallResult> {
  const { runCall } = await import('./call/run-call.ts');
  return interruptible((signal) => runCall(call, request, { services, run: { ...run, signal }, env }));
}
