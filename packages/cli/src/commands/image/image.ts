import { commandGroup } from '../group.ts';

export const image = commandGroup({
  name: 'image',
  summary: 'Manage images with the subcommands of docker image: ls, rm, …',
  commands: {
    build: async () => (await import('../build.ts')).build,
    history: async () => (await import('./history.ts')).history,
    inspect: async () => (await import('./inspect.ts')).inspect,
    load: async () => (await import('./load.ts')).load,
    ls: async () => (await import('./images.ts')).images,
    prune: async () => (await import('./prune-images.ts')).pruneImages,
    pull: async () => (await import('./pull.ts')).pull,
    push: async () => (await import('./push.ts')).push,
    rm: async () => (await import('./rmi.ts')).rmi,
    save: async () => (await import('./save.ts')).save,
    tag: async () => (await import('./tag.ts')).tag,
  },
});
