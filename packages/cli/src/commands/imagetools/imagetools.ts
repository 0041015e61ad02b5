import { commandGroup } from '../group.ts';

export const imagetools = commandGroup({
  name: 'imagetools',
  summary: 'Merge and show images of registries, without fetching them',
  commands: {
    create: async () => (await import('./imagetools-create.ts')).create,
    inspect: async () => (await import('./imagetools-inspect.ts')).inspect,
  },
});
