import { existsSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { startupSnapshot } from 'node:v8';
import { CALL_FLAG } from '@tbuild/api/protocol';
import { build } from './commands/build.ts';
import { commandFirst } from './commands/command-first.ts';
import type { Command } from './commands/command.ts';
import { readEnvironment, type Environment } from './config/environment.ts';
import { describeFlags } from './flags/args.ts';
import { catchFaults } from './print/catch-faults.ts';
import { exitCodeOf, formatError } from './print/report-error.ts';
import { exitAtOnce } from './services/exit-at-once.ts';
import { becomePart, findParts } from './startup/executable.ts';
import { rehearse } from './startup/rehearse.ts';
import { VERSION } from './startup/version.ts';

/** The commands, each loaded when it is called, so that a build does not pay for the others. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  build: async () => build,
  builds: async () => (await import('./commands/builds/builds.ts')).builds,
  bake: async () => (await import('./commands/bake.ts')).bake,
  debug: async () => (await import('./commands/debug.ts')).debug,
  images: async () => (await import('./commands/image/images.ts')).images,
  tag: async () => (await import('./commands/image/tag.ts')).tag,
  inspect: async () => (await import('./commands/image/inspect.ts')).inspect,
  diff: async () => (await import('./commands/image/diff.ts')).diff,
  pull: async () => (await import('./commands/image/pull.ts')).pull,
  push: async () => (await import('./commands/image/push.ts')).push,
  save: async () => (await import('./commands/image/save.ts')).save,
  load: async () => (await import('./commands/image/load.ts')).load,
  image: async () => (await import('./commands/image/image.ts')).image,
  builder: async () => (await import('./commands/docker/buildx.ts')).builder,
  buildx: async () => (await import('./commands/docker/buildx.ts')).buildx,
  system: async () => (await import('./commands/docker/system.ts')).system,
  imagetools: async () => (await import('./commands/imagetools/imagetools.ts')).imagetools,
  login: async () => (await import('./commands/login.ts')).login,
  logout: async () => (await import('./commands/logout.ts')).logout,
  history: async () => (await import('./commands/image/history.ts')).history,
  rmi: async () => (await import('./commands/image/rmi.ts')).rmi,
  du: async () => (await import('./commands/store/du.ts')).du,
  prune: async () => (await import('./commands/store/prune.ts')).prune,
  fsck: async () => (await import('./commands/store/fsck.ts')).fsck,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  verify: async () => (await import('./commands/verify/verify.ts')).verify,
  lint: async () => (await import('./commands/lint.ts')).lint,
  explain: async () => (await import('./commands/explain.ts')).explain,
  init: async () => (await import('./commands/init.ts')).init,
  'gitlab-ci': async () => (await import('./commands/gitlab-ci.ts')).gitlabCi,
  install: async () => (await import('./commands/install.ts')).install,
  completion: async () => (await import('./commands/completion.ts')).completion,
};

/** Commands for scripts of tbuild's own. */
const hidden: Readonly<Record<string, () => Promise<Command>>> = {
  __complete: async () => (await import('./commands/completion.ts')).completeCommand(commands),
  __docker: async () => (await import('./commands/docker-plugin.ts')).dockerPluginCommand(main),
  __man: async () => (await import('./commands/manual.ts')).manualCommand(commands),
};

const loaders = { ...commands, ...hidden };

async function main(argv: readonly string[], env: Environment): Promise<number> {
  const [first, ...rest] = commandFirst(argv, commands);
  if (first === 'help' && rest[0] !== undefined) return helpWith(rest[0], env);
  if (first === undefined || first === 'help' || ((first === '--help' || first === '-h') && rest.length === 0)) {
    env.stdout.write(await helpText());
    return first === undefined ? 2 : 0;
  }
  if (first === CALL_FLAG) return (await import('./serve/serve.ts')).serve(env);
  if (first === '--version' || first === '-v' || first === 'version') {
    env.stdout.write(`tbuild ${VERSION}\n`);
    return 0;
  }
  const load = Object.hasOwn(loaders, first) ? loaders[first] : undefined;
  if (load === undefined && !first.startsWith('-')) await refuseUnknown(first, env);
  const command = await (load ?? commands.build)?.();
  if (command === undefined) throw new Error('There is no build command');
  return command.run(load === undefined ? argv : rest, env);
}

/** Prints the page of a topic, the help of a command, or one after the other where they share a name. */
async function helpWith(word: string, env: Environment): Promise<number> {
  const { helpOn, isTopic } = await import('./commands/help.ts');
  const isCommand = Object.hasOwn(commands, word);
  if (!isCommand || isTopic(word)) env.stdout.write(helpOn(word));
  if (!isCommand) return 0;
  if (isTopic(word)) env.stdout.write('\n');
  return main([word, '--help'], env);
}

async function helpText(): Promise<string> {
  const { buildFlags } = await import('./flags/build-flags.ts');
  const rows = await Promise.all(
    Object.entries(commands).map(async ([name, load]) => `  ${name.padEnd(12)}${(await load()).summary}`),
  );
  return [
    'Usage: tbuild [build] [OPTIONS] CONTEXT',
    '       tbuild COMMAND [OPTIONS]',
    '',
    'Build OCI images from Dockerfiles: no daemon, no root, no engine.',
    '',
    'Commands:',
    ...rows,
    '',
    'Topics, for tbuild help TOPIC:',
    ...(await import('./commands/help.ts')).topicLines(),
    '',
    'Examples:',
    '  tbuild -t app:1 .                        build the Dockerfile here into the local store',
    '  tbuild -t app:1 --load .                 and load it into Docker or Podman',
    '  tbuild -t registry.example/app:1 --push .',
    '  tbuild -o type=oci,dest=app.tar .        write an OCI archive',
    '',
    'Options of a build:',
    describeFlags(buildFlags),
    '',
  ].join('\n');
}

/** @throws TbuildError USAGE for a first word that is neither a command nor a context. */
async function refuseUnknown(word: string, { cwd }: Environment): Promise<void> {
  if (!/^[a-z][a-z-]*$/i.test(word) || existsSync(resolve(cwd, word))) return;
  const { unknownCommand } = await import('./commands/unknown-command.ts');
  throw unknownCommand(word, Object.keys(commands));
}

// Not awaited: parts that are loaded later import from this file, which must have ended by then.
if (startupSnapshot.isBuildingSnapshot()) {
  startupSnapshot.setDeserializeMainFunction(() => {
    if (becomePart()) return;
    findParts();
    void start();
  });
  if (process.argv.length > 2) void rehearse(process.argv.slice(2), main);
} else {
  void start();
}

async function start(): Promise<void> {
  removeStartMark();
  removeTunables();
  const argv = process.argv.slice(2);
  const env = readEnvironment();
  const debug = argv.includes('--debug') || argv.includes('-D');
  catchFaults(env, { debug });
  const code = await main(argv, env).catch(async (error: unknown) => {
    env.stderr.write(await formatError(error, { debug, sourceOf: () => undefined }));
    return exitCodeOf(error);
  });
  await env.flush();
  // Does not wait for open handles, such as a kept connection or a running name lookup.
  exitAtOnce(code);
}

/** Tells the launcher that the program has started from the snapshot: it drops one that crashes at the start. */
function removeStartMark(): void {
  const { TBUILD_START_MARK: mark } = process.env;
  if (mark === undefined) return;
  delete process.env.TBUILD_START_MARK;
  rmSync(mark, { force: true });
}

/** Keeps what the launcher set for this process from those that it starts. */
function removeTunables(): void {
  const { TBUILD_TUNES_MALLOC: areOurs } = process.env;
  if (areOurs === undefined) return;
  delete process.env.TBUILD_TUNES_MALLOC;
  delete process.env.GLIBC_TUNABLES;
}
