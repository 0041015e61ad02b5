import { copyFileSync, cpSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { baseImageArguments } from './base-images.ts';
import { runChecked, runProcess, type ProcessResult } from './run-process.ts';
import { scratchDirectory } from './scratch.ts';
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

/** The image of the jobs of generated pipelines, with the program of this clone, and rsync, which copies artifacts. */
const JOB_IMAGE = `FROM node
COPY --from=rsync . /
COPY --from=program bin /usr/lib/tbuild/bin
COPY --from=program dist /usr/lib/tbuild/dist
COPY --from=modules koffi /usr/lib/tbuild/node_modules/koffi
COPY --from=modules @koromix /usr/lib/tbuild/node_modules/@koromix
RUN ln -s ../lib/tbuild/bin/tbuild /usr/bin/tbuild
`;

/** Loads the image of the jobs into the shared Docker. */
export async function loadJobImage(name: string): Promise<void> {
  const contexts = [
    `program=${join(root, 'packages/cli')}`,
    `modules=${join(root, 'node_modules')}`,
    `rsync=${await rsyncFiles()}`,
  ];
  const options = [...baseImageArguments(['node']), ...contexts.flatMap((one) => ['--build-context', one])];
  const context = writeFiles({ Dockerfile: JOB_IMAGE });
  const env = { DOCKER_HOST: await sharedService('docker') };
  good(await runTbuild(['-t', name, '--load', ...options, context], { env }));
}

/** Returns a directory with this machine's rsync and the libraries that it needs beside the C library. */
async function rsyncFiles(): Promise<string> {
  const directory = scratchDirectory('rsync');
  const needed = (await runChecked('ldd', ['/usr/bin/rsync'])).matchAll(/=> (\/\S+)/g);
  const libraries = [...needed].map(([, path = '']) => path).filter((path) => !path.endsWith('/libc.so.6'));
  for (const path of ['/usr/bin/rsync', ...libraries]) {
    const copy = join(directory, path.replace(/^\/lib\//, '/usr/lib/'));
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(path, copy);
  }
  return directory;
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

/**
 * Puts the component of `templates/` where a repository finds it as `$CI_SERVER_FQDN/tbuild/tbuild/build`, in any version that
 * the documentation names.
 */
export async function offerComponent(repository: string, version: string): Promise<void> {
  const component = scratchDirectory('component');
  cpSync(join(root, 'templates'), join(component, 'templates'), { recursive: true });
  await makeRepository(component);
  await runChecked('git', ['tag', version], { cwd: component });
  const address = 'ssh://git@gitlab.example:22/tbuild/tbuild.git';
  await runChecked('git', ['config', `url.${component}.insteadOf`, address], { cwd: repository });
}

/** Variables that GitLab sets and gitlab-ci-local does not know better. */
const PREDEFINED =
  'CI_REGISTRY,CI_REGISTRY_IMAGE,CI_REGISTRY_USER,CI_REGISTRY_PASSWORD,CI_JOB_TOKEN,CI_BUILDS_DIR,GITLAB_CI';

/**
 * Runs the pipeline of a repository, and its child pipelines, each job in a container of the shared Docker with its default
 * restrictions.
 */
export async function runPipeline(
  repository: string,
  image: string,
  variables: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<ProcessResult> {
  const options = {
    network: 'host',
    'pull-policy': 'if-not-present',
    'helper-image': image,
    'ignore-predefined-vars': PREDEFINED,
  };
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  // Unlike those of the command line, these variables reach child pipelines. YAML contains JSON.
  const global = Object.fromEntries(
    // A plain path would be the name of a file with the value.
    Object.entries(variables).map(([name, value]) => [name, { type: 'variable', values: { '*': value } }]),
  );
  const home = writeFiles({ '.gitlab-ci-local/variables.yml': JSON.stringify({ global }) });
  return runProcess(node, [program, '--no-color', ...words, ...args], {
    cwd: repository,
    env: { DOCKER_HOST: await sharedService('docker'), HOME: home, CI: 'true' },
  });
}
