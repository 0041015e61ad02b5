import { type BakeFile, type BakeFiles, evaluateBake } from '@tbuild/bake';
import { fetchFiles } from '@tbuild/builder';
import { formatPlatform } from '@tbuild/oci';
import { createChannel } from '@tbuild/progress';
import type { BuildSettings } from '@tbuild/spec';
import type { DisplayMode } from '@tbuild/tui';
import type { Environment } from '../config/environment.ts';
import { requirePair } from '../flags/pairs.ts';
import { openDisplay } from '../print/open-display.ts';
import { thisPlatform } from '../services/create-services.ts';
import { interruptible } from '../services/interruptible.ts';
import { openBuild } from '../services/open-build.ts';
import { localFile, type ReadFile, readFiles } from './read-files.ts';

/** The files that a bake is asked to read. */
export interface AskedFiles {
  /** `-f`. */
  readonly files: readonly string[];
  /** `--var`. */
  readonly variables: readonly string[];
  /** The URL of a repository or an archive with the files, or of one file. */
  readonly remote?: string;
  readonly settings: BuildSettings;
  /** How to show that files are fetched; by default only a failure is shown. */
  readonly mode?: DisplayMode;
}

/** Whether the first word after the options is the place of the files instead of a target. */
export function isRemoteDefinition(word: string | undefined): word is string {
  return word !== undefined && /^(https?:\/\/|git:\/\/|ssh:\/\/|git@)/.test(word);
}

/**
 * Reads and evaluates the files. `onFile` receives each as soon as it is read.
 * @throws TbuildError BAKE_FILE; the errors of a fetched context for those on a server.
 */
export async function loadBake(
  { files, variables, remote, ...asked }: AskedFiles,
  env: Environment,
  onFile: (file: BakeFile) => void,
): Promise<BakeFiles> {
  const given = Object.fromEntries(variables.map((text) => requirePair(text, '--var', 'NAME=VALUE')));
  const read = remote === undefined ? localReader(env) : await remoteReader(remote, asked, env);
  const only = remote === undefined || files.length > 0 ? undefined : read(DOWNLOADED);
  const sources = only === undefined ? await readFiles(files, { read, env }) : [only];
  for (const file of sources) onFile(file);
  return evaluateBake({
    files: sources,
    environment: env.variables,
    variables: given,
    platform: formatPlatform(thisPlatform()),
    now: () => Date.now(),
    readFile: (name) => {
      const file = read(name);
      if (file !== undefined) onFile(file);
      return file;
    },
    // What a single file names is here, as with buildx.
    ...(remote === undefined || only !== undefined ? {} : { remote }),
  });
}

/** The name of a single file that was downloaded. */
const DOWNLOADED = 'context';

function localReader({ cwd }: Environment): ReadFile {
  return (name) => localFile(name, cwd);
}

/** Fetches a repository, an archive or a file. The display of that ends before anything else is shown. */
async function remoteReader(
  remote: string,
  { settings, mode = 'quiet' }: Pick<AskedFiles, 'settings' | 'mode'>,
  env: Environment,
): Promise<ReadFile> {
  const spec = { context: remote, dockerfile: { text: 'FROM scratch' } };
  const progress = createChannel();
  await using opened = openBuild({ spec, settings }, env, progress);
  const { request, services } = opened;
  const { now } = services;
  const endDisplay = openDisplay(progress, { mode, now, sourceOf: () => undefined, part: 'files' }, env);
  try {
    const files = await interruptible((signal) => fetchFiles(request, services, { progress, signal }));
    return (name) => {
      const text = files.readText(name);
      return text === undefined ? undefined : { name, text };
    };
  } finally {
    await endDisplay();
  }
}
