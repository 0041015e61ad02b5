import { commandGroup } from '../group.ts';

export const system = commandGroup({
  name: 'system',
  summary: 'The subcommands of docker system: df, prune, info',
  commands: {
    df: async () => (await import('../store/du.ts')).du,
    info: async () => (await import('../doctor.ts')).doctor,
    prune: async () => (await import('../store/prune.ts')).prune,
  },
});
