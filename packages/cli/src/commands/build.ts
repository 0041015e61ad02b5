import type { BuildRequest } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { createChannel } from '@tbuild/progress';
import { display, type DisplayMode, type WarningView } from '@tbuild/tui';
import { describeFlags, parseArgs } from '../flags/args.ts';
import { buildFlags } from '../flags/build-flags.ts';
import { settingsFromFlags, specFromFlags } from '../flags/build-spec.ts';
import { parseCall } from './call/call-spec.ts';
import type { Environment } from '../config/environment.ts';
import { foreignOptions } from '../flags/foreign-options.ts';
import { ignoredOptions } from '../flags/ignored-flags.ts';
import { interruptible } from '../services/interruptible.ts';
import { openBuild } from '../services/open-build.ts';
import { exitCodeOf, formatError } from '../print/report-error.ts';
import { checkResultFiles, writeResultFiles } from '../print/result-files.ts';
import { onStandardOutput } from '../request/outputs.ts';
import { parseSecrets } from '../request/secrets.ts';
import { sourceFrame } from '../print/source-frame.ts';
import type { Command } from './command.ts';

export const build: Command = {
  summary: 'Build an image from a Dockerfile (may be left out)',
  async run(argv, env) {
    const { flags, positional } = parseArgs(argv, buildFlags, foreignOptions);
    if (flags.help === true) {
      env.stdout.write(
        `Usage: tbuild [build] [OPTIONS] CONTEXT\n\nBuild an image from a Dockerfile.\n\n${describeFlags(buildFlags)}\n`,
      );
      return 0;
    }
    const readSecret = parseSecrets(flags.secret ?? [], env);
    const call = parseCall(flags.call ?? '') ?? (flags.check === true ? parseCall('check') : undefined);
    const wanted = flags.quiet === true ? 'quiet' : (flags.progress ?? env.variables.BUILDKIT_PROGRESS ?? 'auto');
    const mode = displayMode(wanted, env);
    const quiet = wanted === 'quiet';
    checkResultFiles(flags, env.cwd);
    const channel = createChannel();
    const asked = { spec: specFromFlags(flags, positional, env), settings: settingsFromFlags(flags) };
    await using opened = openBuild(asked, env, channel);
    const { request, worker } = opened;
    if (quiet) requireStandardOutput(request);
    let definition: string | undefined;
    const onDefinition = ({ text }: { readonly text: string }): void => void (definition = text);
    const shown = display(channel, mode, env.stderr, {
      now: worker.now,
      color: !env.variables.NO_COLOR,
      explain: flags.explain,
      ...(flags.debug === true ? { expandWarning: (warning: WarningView) => warningInFull(warning, definition) } : {}),
    });
    for (const message of ignoredOptions(flags)) channel.emit({ type: 'warning', message });
    try {
      if (call !== undefined) {
        const { runCall } = await import('./call/run-call.ts');
        const answer = await interruptible((signal) =>
          runCall(call, request, { worker, run: { progress: channel, signal, readSecret, onDefinition } }),
        );
        channel.close();
        await shown;
        env.stdout.write(answer.output);
        if (answer.error !== undefined) throw answer.error;
        return answer.exitCode;
      }
      const result = await opened.run({ readSecret, onDefinition });
      channel.close();
      await shown;
      writeResultFiles(result, flags, env.cwd);
      if (quiet) env.stdout.write(`${result.id}\n`);
      return 0;
    } catch (error) {
      channel.close();
      await shown;
      env.stderr.write(await formatError(error, { debug: flags.debug ?? false, sourceOf: () => definition }));
      return exitCodeOf(error);
    }
  },
};

/** Keeps standard output for the image ID of `--quiet`. */
function requireStandardOutput({ outputs }: Pick<BuildRequest, 'outputs'>): void {
  if (onStandardOutput(outputs) === undefined) return;
  throw new TbuildError('USAGE', 'Standard output cannot have both an archive and the image ID of --quiet', {
    hint: 'Use --progress none, and --iidfile for the ID',
  });
}

/** For `--debug`. */
function warningInFull({ detail, url, location, token }: WarningView, text: string | undefined): string {
  const lines = [detail, url && `More info: ${url}`, location && `${location.file}:${location.start.line}`];
  const frame = location === undefined || text === undefined ? '' : sourceFrame(text, location, { token });
  return `${lines.filter((line) => line !== undefined && line !== '').join('\n')}\n${frame}\n`;
}

const MODES: Readonly<Record<string, DisplayMode>> = {
  plain: 'plain',
  tty: 'tty',
  quiet: 'quiet',
  none: 'quiet',
  rawjson: 'json',
};

function displayMode(wanted: string, env: Environment): DisplayMode {
  if (wanted === 'auto' || wanted === '') return env.stderr.isTTY ? 'tty' : 'plain';
  const mode = Object.hasOwn(MODES, wanted) ? MODES[wanted] : undefined;
  if (mode === undefined) {
    throw new TbuildError(
      'USAGE',
      `Progress ${JSON.stringify(wanted)} is none of auto, ${Object.keys(MODES).join(', ')}`,
    );
  }
  if (mode === 'tty' && !env.stderr.isTTY)
    throw new TbuildError('USAGE', 'Progress "tty" needs a terminal', { hint: 'Use --progress plain' });
  return mode;
}
