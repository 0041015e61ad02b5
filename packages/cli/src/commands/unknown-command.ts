import { suggest, TbuildError } from '@tbuild/errors';

const CONTAINERS = 'Use docker or podman for containers; "tbuild -t NAME --load ." gives them the image';

/** Commands of Docker and Buildah that tbuild lacks, each with what to use instead. */
const foreignCommands: Readonly<Record<string, string>> = {
  bud: 'Use tbuild build',
  commit: CONTAINERS,
  compose: 'Use tbuild bake to build the images of a compose file',
  config: 'Write the configuration into a Dockerfile: ENV, LABEL, CMD, …',
  container: CONTAINERS,
  context: 'Use docker context; -o type=docker,context=NAME loads the image into the engine of a context',
  copy: 'Write COPY into a Dockerfile',
  cp: CONTAINERS,
  create: CONTAINERS,
  exec: CONTAINERS,
  export: 'Use tbuild -o type=tar,dest=FILE for the files of an image, or tbuild save for the image',
  from: 'Write FROM into a Dockerfile',
  import: 'Use a Dockerfile with FROM scratch and ADD FILE.tar /',
  info: 'Use tbuild doctor',
  kill: CONTAINERS,
  logs: CONTAINERS,
  manifest: 'Use tbuild imagetools',
  mount: 'Use tbuild -o type=local,dest=DIRECTORY to see the files of an image',
  network: CONTAINERS,
  ps: CONTAINERS,
  restart: CONTAINERS,
  run: CONTAINERS,
  scout: 'Use --sbom=true to list the packages of an image',
  search: 'Use the web page of the registry',
  shell: 'Use tbuild debug for a shell in a step of a build',
  start: CONTAINERS,
  stop: CONTAINERS,
  unshare: 'Use buildah unshare or podman unshare; tbuild needs none',
  volume: CONTAINERS,
};

/** Returns the error for a first word that is neither a command nor a directory, with what may be meant. */
export function unknownCommand(word: string, commands: readonly string[]): TbuildError {
  const foreign = Object.hasOwn(foreignCommands, word) ? foreignCommands[word] : undefined;
  const near = suggest(word, commands);
  const meant = near === undefined ? undefined : `Did you mean "tbuild ${near}"?`;
  return new TbuildError('USAGE', `${JSON.stringify(word)} is neither a command of tbuild nor a directory`, {
    hint: foreign ?? meant ?? 'Run "tbuild --help" for the commands; a build needs its context, such as "."',
  });
}
