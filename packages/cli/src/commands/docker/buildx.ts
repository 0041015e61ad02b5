import { buildxAliases } from '../../docker-plugin/translate.ts';
import { commandGroup, type CommandGroup } from '../group.ts';
import { builders } from './builders.ts';

/** The subcommands of `docker buildx`, which `docker builder` has too. */
const commands: CommandGroup['commands'] = {
  bake: async () => (await import('../bake.ts')).bake,
  build: async () => (await import('../build.ts')).build,
  create: async () => builders.create,
  du: async () => (await import('../store/du.ts')).du,
  history: async () => (await import('../builds/builds.ts')).buildHistory,
  imagetools: async () => (await import('../imagetools/imagetools.ts')).imagetools,
  inspect: async () => builders.inspect,
  ls: async () => builders.ls,
  prune: async () => (await import('../store/prune.ts')).prune,
  rm: async () => builders.rm,
  stop: async () => builders.stop,
  use: async () => builders.use,
  version: async () => builders.version,
};

/** Commands about what tbuild does not have. */
const foreign = {
  dap: 'Use tbuild debug for a shell in a step',
  debug: 'Use tbuild debug',
  'dial-stdio': 'Leave it out: there is no daemon to connect to',
  install: 'Use tbuild install --as-buildx',
  policy: 'Use --source-policy-file FILE, or EXPERIMENTAL_BUILDKIT_SOURCE_POLICY',
  uninstall: 'Use tbuild install --uninstall',
};

export const buildx = commandGroup({
  name: 'buildx',
  summary: 'The subcommands of docker buildx: build, prune, imagetools, …',
  commands,
  aliases: buildxAliases,
  foreign,
});

export const builder = commandGroup({
  name: 'builder',
  summary: 'The subcommands of docker builder: build, prune, …',
  commands,
});
