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

export const buildx = commandGroup({
  name: 'buildx',
  summary: 'The subcommands of docker buildx: build, prune, imagetools, …',
  commands,
});

export const builder = commandGroup({
  name: 'builder',
  summary: 'The subcommands of docker builder: build, prune, …',
  commands,
});
