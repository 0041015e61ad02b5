import { join } from 'node:path';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { buildArguments, runGood, runTbuild, writeFiles } from '../run-tbuild.ts';

export const row: FaultRow = {
  name: 'kill',
  title: 'A build that is killed at any moment leaves a sound store',
  run: kill,
};

async function kill(context: FaultContext): Promise<void> {
  const project = writeFiles(join(context.directory, 'project'), {
    Dockerfile: 'FROM busybox\nCOPY a /a\nRUN cat /a > /b\nRUN echo 2 > /c\n',
    a: 'a\n',
  });
  const milliseconds = context.random.int(400);
  const killed = await runTbuild(context, buildArguments(project), {
    onStart: (child) => setTimeout(() => child.kill('SIGKILL'), milliseconds),
  });
  if (killed.exitCode !== 0) context.count('kills');
  await runGood(context, buildArguments(project));
  await runGood(context, ['fsck']);
}
