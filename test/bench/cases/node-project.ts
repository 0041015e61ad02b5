import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inTurn, type BenchCase } from '../case.ts';

/** A project with 10,000 files of all sizes in 500 packages, copied in one go and looked at by a RUN. */
export const nodeProject: BenchCase = {
  name: 'node-project',
  rounds: 1,
  async take(round) {
    const context = join(round.directory, 'node-project');
    writeProject(context, round.seed);
    const at = (work: string) => ({ case: 'node-project', work: `Node project, ${work}` });
    const cold = await inTurn(round, at('cold'), (peer) => peer.build(context));
    appendFileSync(join(context, 'src/main.js'), '// changed\n');
    const changed = await inTurn(round, at('one changed'), (peer) => peer.build(context));
    return [...cold, ...changed, ...(await inTurn(round, at('unchanged'), (peer) => peer.build(context)))];
  },
};

function writeProject(context: string, seed: string): void {
  mkdirSync(join(context, 'src'), { recursive: true });
  writeFileSync(
    join(context, 'Dockerfile'),
    'FROM busybox\nWORKDIR /app\nCOPY . .\nRUN ls node_modules | wc -l > packages\n',
  );
  writeFileSync(join(context, 'src/main.js'), `// ${seed}\n`);
  for (let each = 0; each < 500; each++) {
    const directory = join(context, 'node_modules', `package-${each}`, 'lib');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, '../package.json'), `{ "name": "package-${each}", "version": "1.0.0" }\n`);
    for (let file = 0; file < 19; file++)
      writeFileSync(join(directory, `${file}.js`), `// ${seed} ${each} ${file}\n`.repeat(1 + file * 40));
  }
}
