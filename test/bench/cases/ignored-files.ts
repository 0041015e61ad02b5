import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { floorOf, inTurn, type BenchCase } from '../case.ts';

/** 100,000 files of which .dockerignore leaves one in a hundred, with an exception that could be anywhere. */
export const ignoredFiles: BenchCase = {
  name: 'ignored-files',
  rounds: 1,
  async take(round) {
    const context = join(round.directory, 'ignored-files');
    for (let directory = 0; directory < 1000; directory++) {
      const path = join(context, directory % 100 === 0 ? 'src' : 'node_modules', String(directory));
      mkdirSync(path, { recursive: true });
      for (let file = 0; file < 100; file++)
        writeFileSync(join(path, `${file}.js`), `// ${round.seed} ${directory} ${file}\n`);
    }
    writeFileSync(join(context, '.dockerignore'), 'node_modules\n!node_modules/*/keep.js\n*.log\n');
    writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY . /app\n');
    const at = (work: string) => ({ case: 'ignored-files', work: `100,000 files, 99 % ignored, ${work}` });
    const floor = await floorOf(at('unchanged'), `find . -printf '%i %C@ %T@ %s\n'`, context);
    const cold = await inTurn(round, at('cold'), (peer) => peer.build(context));
    return [floor, ...cold, ...(await inTurn(round, at('unchanged'), (peer) => peer.build(context)))];
  },
};
