import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { processesNaming } from '../../support/leftovers.ts';
import { byContent, filesOf, type Kind, possibleKinds } from '../corruption/kinds.ts';
import { MUTATIONS } from '../corruption/mutations.ts';
import { buildProject, openSource, writeProject } from '../corruption/project.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { buildArguments, isInternalError, runGood, runTbuild } from '../run-tbuild.ts';

export const row: FaultRow = {
  name: 'corruption',
  title: 'A damaged file of the store never gets into an image, fsck finds it, and fsck --repair mends it',
  needs: ['root', 'git'],
  brief: [1, 2, 3],
  run: corrupt,
};

async function corrupt(context: FaultContext): Promise<void> {
  const { random } = context;
  const kind = random.pick(possibleKinds());
  const how = random.pick(Object.keys(MUTATIONS));
  await using source = await openSource(kind.source);
  const project = writeProject(context, kind, source);
  const good = await fillStore(context, { project, how });
  const path = damageOne(context, kind, how);
  if (path === undefined) return;
  const store = join(context.directory, 'store');
  const isFirst = random.int(2) === 0;
  if (isFirst) await requireSafeBuild(context, { project, good, path, how });
  else {
    const found = await runTbuild(context, ['fsck', '--full']);
    if (found.exitCode !== 0) context.count('found by fsck');
    else if (kind.isFound) context.fail(`fsck does not find ${how} in "${path}"`);
    await runTbuild(context, ['fsck', '--full', '--repair']);
  }
  const after = await buildProject(context, project);
  const isRefused = after.exitCode !== 0 && path === 'format' && after.stderr.includes(store);
  if (isRefused) return context.count('refused');
  if (after.digest !== good) context.fail(`The next build is not the good one after ${how} in "${path}"`, after.stderr);
  context.count('mended');
  await settled(context);
  await runTbuild(context, ['fsck', '--full', '--repair']);
  await buildProject(context, project);
  await runGood(context, ['fsck', '--full']);
}

/** Builds everything and waits until the store is at rest. Returns the digest of the image. */
async function fillStore(context: FaultContext, { project, how }: { project: string; how: string }): Promise<string> {
  if (how === 'old version') {
    writeFileSync(join(project, 'a'), 'old\n');
    await buildProject(context, project);
    await settled(context);
    cpSync(join(context.directory, 'store'), join(context.directory, 'old'), { recursive: true });
    writeFileSync(join(project, 'a'), 'a\n');
  }
  await runTbuild(context, buildArguments(project, '-f', join(project, 'bad.Dockerfile')));
  const { digest, stderr } = await buildProject(context, project);
  if (digest === undefined) context.fail('The first build failed', stderr);
  await settled(context);
  return digest;
}

async function settled({ directory, signal }: FaultContext): Promise<void> {
  await eventually(() => signal.aborted || processesNaming(directory).length === 0);
}

/** Damages a file of the kind. Returns its path below the root, or undefined if there is none that can be damaged so. */
function damageOne(context: FaultContext, kind: Kind, how: string): string | undefined {
  const root = join(context.directory, 'store');
  const files = byContent(root, filesOf(kind, root));
  if (files.length === 0) context.fail(`The store has no ${kind.name}`);
  const path = context.random.pick(files);
  const old = join(context.directory, 'old', path);
  const isDamaged = MUTATIONS[how]?.(
    {
      path: join(root, path),
      others: files.filter((other) => other !== path).map((other) => join(root, other)),
      old: existsSync(old) ? old : undefined,
    },
    context.random,
  );
  if (isDamaged !== true) return void context.count('not applicable');
  context.count(how);
  return path;
}

/** A build beside the damage makes the good image, or fails and says why. */
async function requireSafeBuild(
  context: FaultContext,
  { project, good, path, how }: { project: string; good: string; path: string; how: string },
): Promise<void> {
  const { exitCode, digest, stderr } = await buildProject(context, project);
  const isReported = exitCode !== 0 && !isInternalError(stderr);
  if (digest !== good && !isReported) context.fail(`A build with ${how} in "${path}" is not safe (${digest})`, stderr);
  context.count(isReported ? 'reported' : 'healed');
  await settled(context);
}
