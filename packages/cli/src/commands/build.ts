import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { runBuild, takeLease, type BuildResult } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { createChannel } from '@tbuild/progress';
import { display, type DisplayMode, type WarningView } from '@tbuild/tui';
import { maxUsedSpace, tidyAfterBuild } from '../after-build.ts';
import { describeFlags, parseArgs, type FlagValues } from '../args.ts';
import { buildFlags } from '../build-flags.ts';
import { buildRequest } from '../build-request.ts';
import { parseCall } from '../call/call-spec.ts';
import { createWorker, thisPlatform } from '../create-worker.ts';
import { ignoredOptions } from '../ignored-flags.ts';
import { parseIsolation } from '../isolation.ts';
import type { Environment } from '../environment.ts';
import { exitCodeOf, formatError } from '../report-error.ts';
import { insecureRegistries } from '../outputs.ts';
import { buildMetadata } from '../build-metadata.ts';
import { parseSecrets } from '../secrets.ts';
import { sourceFrame } from '../source-frame.ts';
import { makeStartSnapshot } from '../start-snapshot.ts';
import { registryOptions } from '../registry-flags.ts';
import { storeRoot } from '../store-root.ts';
import { parseTimeLimit, withTimeLimit } from '../time-limit.ts';
import type { Command } from './command.ts';
import { interruptible } from '../interruptible.ts';

type BuildFlags = FlagValues<typeof buildFlags>;

export const build: Command = {
  summary: 'Build an image from a Dockerfile (may be left out)',
  async run(argv, env) {
    const { flags, positional } = parseArgs(argv, buildFlags);
    if (flags.help === true) {
      env.stdout.write(
        `Usage: tbuild [build] [OPTIONS] CONTEXT\n\nBuild an image from a Dockerfile.\n\n${describeFlags(buildFlags)}\n`,
      );
      return 0;
    }
    const timeLimit = parseTimeLimit(flags.timeout);
    const channel = createChannel();
    const root = storeRoot(flags.root, env);
    // Before anything is put into the store, so that nothing else sweeps it away.
    using _lease = takeLease(root);
    const request = buildRequest(flags, positional, env, thisPlatform());
    const given = registryOptions(flags);
    const worker = createWorker(
      {
        root,
        registries: { ...given, insecure: [...given.insecure, ...insecureRegistries(request)] },
        isolation: parseIsolation(flags.isolation),
        warn: (message, detail) => channel.emit({ type: 'warning', message, detail }),
      },
      env,
    );
    const readSecret = parseSecrets(flags.secret ?? [], env);
    const call = parseCall(flags.call ?? '') ?? (flags.check === true ? parseCall('check') : undefined);
    const mode = displayMode(flags, env);
    let definition: string | undefined;
    const onDefinition = ({ text }: { readonly text: string }): void => void (definition = text);
    const shown = display(channel, mode, env.stderr, {
      now: worker.now,
      color: !env.variables.NO_COLOR,
      explain: flags.explain,
      ...(flags.debug === true ? { expandWarning: (warning: WarningView) => warningInFull(warning, definition) } : {}),
    });
    for (const message of ignoredOptions(flags)) channel.emit({ type: 'warning', message });
    const cap = maxUsedSpace(env);
    try {
      const run = { progress: channel, readSecret, onDefinition };
      if (call !== undefined) {
        const { runCall } = await import('../call/run-call.ts');
        const answer = await interruptible((signal) => runCall(call, request, { worker, run: { ...run, signal } }));
        channel.close();
        await shown;
        env.stdout.write(answer.output);
        if (answer.error !== undefined) throw answer.error;
        return answer.exitCode;
      }
      const result = await interruptible((interrupted) =>
        withTimeLimit(timeLimit, interrupted, (signal) => runBuild(request, worker, { ...run, signal })),
      );
      channel.close();
      await shown;
      report(result, flags, env);
      return 0;
    } catch (error) {
      channel.close();
      await shown;
      env.stderr.write(await formatError(error, { debug: flags.debug ?? false, sourceOf: () => definition }));
      return exitCodeOf(error);
    } finally {
      await worker.close();
      await tidyAfterBuild(worker, cap);
      makeStartSnapshot(env);
    }
  },
};

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

function displayMode(flags: BuildFlags, env: Environment): DisplayMode {
  if (flags.quiet === true) return 'quiet';
  const wanted = flags.progress ?? env.variables.BUILDKIT_PROGRESS ?? 'auto';
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

function report(result: BuildResult, flags: BuildFlags, env: Environment): void {
  if (flags.iidfile !== undefined) writeFileSync(resolve(env.cwd, flags.iidfile), result.id);
  if (flags['metadata-file'] !== undefined)
    writeFileSync(resolve(env.cwd, flags['metadata-file']), buildMetadata(result));
  if (flags.quiet === true) env.stdout.write(`${result.id}\n`);
}
