import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { baseImageArguments } from './base-images.ts';
import { runChecked, runProcess, type ProcessResult } from './run-process.ts';
import { sharedService } from './services.ts';
import { good, runTbuild, writeFiles } from './tbuild.ts';

const root = join(import.meta.dirname, '../..');
const nodes = join(root, 'test/nodes/node_modules');
const program = join(nodes, 'gitlab-ci-local/dist/index.js');
const node = join(nodes, `node24-${process.arch}/bin/node`);

/** Whether pipelines can run here: gitlab-ci-local needs Node 24. */
export const gitlabCiLocal = {
  met: existsSync(program) && existsSync(node),
  lacks: 'gitlab-ci-local and Node 24 of test/nodes',
};

/** The image of the jobs of generated pipelines, with the program of this clone. */
const JOB_IMAGE = `FROM node
COPY --from=program bin /usr/lib/tbuild/bin
COPY --from=program dist /usr/lib/tbuild/dist
COPY --from=modules koffi /usr/lib/tbuild/node_modules/koffi
COPY --from=modules @koromix /usr/lib/tbuild/node_modules/@koromix
RUN ln -s ../lib/tbuild/bin/tbuild /usr/bin/tbuild
`;

/** Loads the image of the jobs into the shared Docker. */
export async function loadJobImage(name: string): Promise<void> {
  const contexts = [`program=${join(root, 'packages/cli')}`, `modules=${join(root, 'node_modules')}`];
  const options = [...baseImageArguments(['node']), ...contexts.flatMap((one) => ['--build-context', one])];
  const context = writeFiles({ Dockerfile: JOB_IMAGE });
  const env = { DOCKER_HOST: await sharedService('docker') };
  good(await runTbuild(['-t', name, '--load', ...options, context], { env }));
}

/** Makes a git repository of a directory, as GitLab checks one out. */
export async function makeRepository(directory: string): Promise<void> {
  const git = (...args: string[]) =>
    runChecked('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.com', ...args], { cwd: directory });
  await git('init', '--quiet', '--initial-branch', 'main');
  await git('remote', 'add', 'origin', 'git@gitlab.example:team/app.git');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'Start');
}

/** Variables that GitLab sets and gitlab-ci-local does not know better. */
const PREDEFINED = 'CI_REGISTRY,CI_REGISTRY_IMAGE,CI_REGISTRY_USER,CI_REGISTRY_PASSWORD,CI_BUILDS_DIR,GITLAB_CI';

/** Runs the pipeline of a repository, each job in a container of the shared Docker with its default restrictions. */
export async function runPipeline(
  repository: string,
  image: string,
  variables: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<ProcessResult> {
  const given = Object.entries(variables).flatMap(([name, value]) => ['--variable', `${name}=${value}`]);
  const options = [
    '--network',
    'host',
    '--no-color',
    '--pull-policy',
    'if-not-present',
    '--helper-image',
    image,
    '--ignore-predefined-vars',
    PREDEFINED,
  ];
  return runProcess(node, [program, ...options, ...given, ...args], {
    cwd: repository,
    env: { DOCKER_HOST: await sharedService('docker'), HOME: repository, CI: 'true' },
  });
}
