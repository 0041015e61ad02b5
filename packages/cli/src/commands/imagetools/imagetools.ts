import { commandGroup } from '../group.ts';

export const imagetools = commandGroup({
  name: 'imagetools',
  summary: 'Merge, show and remove images of registries, without fetching them',
  commands: {
    create: async () => (await import('./imagetools-create.ts')).create,
    inspect: async () => (await import('./imagetools-inspect.ts')).inspect,
    rm: async () => (await import('./imagetools-rm.ts')).rm,
  },
});
