import { findBuild, removableBuilds, removeBuild } from '@tbuild/builds';
import { TbuildError } from '@tbuild/errors';
import { storeCommand } from '../store-command.ts';
import { ignoredBuilder } from './ignored-builder.ts';

export const remove = storeCommand({
  summary: 'Remove records of builds; images and cache stay',
  usage: 'builds rm [OPTIONS] BUILD...',
  flags: { ...ignoredBuilder, all: { kind: 'switch', help: 'Remove all records' } },
  takes: [0, Infinity],
  run({ flags: { all }, words, services: { store, now }, env }) {
    if ((all === true) === words.length > 0)
      throw new TbuildError('USAGE', 'Name the builds to remove, or give --all', {
        hint: 'Run "tbuild builds ls" for a list of recorded builds',
      });
    const ids = all === true ? removableBuilds(store, now()) : words.map((one) => findBuild(store, one).id);
    for (const id of new Set(ids)) if (removeBuild(store, id)) env.stdout.write(`${id}\n`);
  },
});
