import { commandGroup } from '../group.ts';

const ls = async () => (await import('./list.ts')).list;
const show = async () => (await import('./show.ts')).show;
const logs = async () => (await import('./logs.ts')).logs;
const rm = async () => (await import('./remove.ts')).remove;
const open = async () => (await import('./open.ts')).open;
const save = async () => (await import('./export.ts')).exportBuild;

/** The builds that the store remembers. */
export const builds = commandGroup({
  name: 'builds',
  summary: 'Show the builds that were made with this store: ls, show, logs, open, rm, export',
  commands: { ls, show, logs, open, rm, export: save },
});

/** The same by the names of `docker buildx history`. */
export const buildHistory = commandGroup({
  name: 'buildx history',
  summary: 'The subcommands of docker buildx history, on the builds of this store',
  commands: { ls, inspect: show, logs, open, rm, export: save },
  foreign: { trace: 'Use open for a page with the timeline' },
});
