import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect } from 'vitest';
import { baseImageArguments, type BaseImageName } from './base-images.ts';
import { imageWithId, readLayer, type LayoutImage } from './layout.ts';
import { program } from './program.ts';
import { runProcess, type ProcessOptions, type ProcessResult } from './run-process.ts';
import { runDirectoryVariable, scratchDirectory } from './scratch.ts';
import { treeOfLayers, type ImageTree } from './tree.ts';
import { ordinaryUser } from './user.ts';
import { problemsOf } from './validate-image.ts';
import { withoutLimits } from './without-limits.ts';

export interface TbuildOptions extends ProcessOptions {
  /** The store's root; one that all builds of the test file share unless given. */
  readonly store?: string;
  /** Runs as the ordinary user that the set-up created, with that user's store. */
  readonly asUser?: boolean;
  /** Restricts the program to one processor. */
  readonly oneCore?: boolean;
  /** The file mode creation mask that the program starts with, such as `077`. */
  readonly umask?: string;
}

export interface InlineBuildOptions extends TbuildOptions {
  readonly args?: readonly string[];
  /** The images that `FROM NAME` may name without a registry. */
  readonly images?: readonly BaseImageName[];
}

export interface InlineBuild extends ProcessResult {
  readonly context: string;
  readonly store: string;
  /** The image ID that was written to `--iidfile`. */
  id(): string;
  /** Returns the image of that ID in the store, fully validated. */
  image(): LayoutImage;
  /** Returns the file system of that image. */
  tree(): ImageTree;
}

let sharedStore: string | undefined;
let sharedUserStore: string | undefined;
let emptyHome: string | undefined;

/** Returns the default store of the builds of this test file. */
export function defaultStore(asUser = false): string {
  if (asUser) return (sharedUserStore ??= userDirectory('store'));
  return (sharedStore ??= scratchDirectory('store'));
}

/** The launcher's cache directory of all builds of the run. */
function sharedCache(): string {
  return join(process.env[runDirectoryVariable] ?? scratchDirectory('cache'), 'cache');
}

/** Creates a directory that belongs to the ordinary user. */
export function userDirectory(purpose: string): string {
  const directory = scratchDirectory(purpose);
  const { uid, gid } = ordinaryUser();
  chownSync(directory, uid, gid);
  return directory;
}

/** Runs the real program, in a minimal environment with the store at `TBUILD_ROOT`. */
export function runTbuild(args: readonly string[], options: TbuildOptions = {}): Promise<ProcessResult> {
  const store = options.store ?? defaultStore(options.asUser);
  const env = { TBUILD_ROOT: store, ...withoutLimits, ...options.env };
  const masked = options.umask === undefined ? [] : ['sh', '-c', `umask ${options.umask} && exec "$@"`, 'sh'];
  if (!options.asUser) {
    emptyHome ??= scratchDirectory('home');
    const wrapper = [...masked, ...(options.oneCore ? ['taskset', '--cpu-list', '0'] : [])];
    const [command = '', ...rest] = [...wrapper, program, ...args];
    return runProcess(command, rest, { ...options, env: { HOME: emptyHome, XDG_CACHE_HOME: sharedCache(), ...env } });
  }
  const { name, home } = ordinaryUser();
  // Unlike runuser, setpriv becomes the program, which then gets the signals itself.
  const asUser = ['--reuid', name, '--regid', name, '--init-groups', ...masked, program];
  return runProcess('setpriv', [...asUser, ...args], { ...options, env: { HOME: home, USER: name, ...env } });
}

/**
 * Writes `files` (including a `Dockerfile`) to a new directory and builds it. Names that end in `/` make empty
 * directories; a file that begins with `#!` is executable.
 */
export async function buildInline(
  files: Readonly<Record<string, string>>,
  options: InlineBuildOptions = {},
): Promise<InlineBuild> {
  return buildContext(writeFiles(files), options);
}

/** Builds the context in a directory. */
export async function buildContext(context: string, options: InlineBuildOptions = {}): Promise<InlineBuild> {
  const store = options.store ?? defaultStore(options.asUser);
  const idFile = join(options.asUser ? userDirectory('iid') : scratchDirectory('iid'), 'id');
  const { args = [], images } = options;
  const tag = args.some((arg) => arg === '-t' || arg === '--tag')
    ? []
    : ['--tag', `test/${basename(dirname(idFile))}`.toLowerCase()];
  const common = ['build', '--progress', 'plain', '--iidfile', idFile, ...tag, ...baseImageArguments(images)];
  const result = await runTbuild([...common, ...args, context], { ...options, store });
  const id = () => readFileSync(idFile, 'utf8').trim();
  const image = () => checkedImage(store, id(), result);
  const tree = () => {
    const { layout, manifest } = image();
    return treeOfLayers(manifest.layers.map((layer) => readLayer(layout, layer)));
  };
  return { ...result, context, store, id, image, tree };
}

/** Like `buildInline`, but the build must succeed; on failure its whole output is what the test reports. */
export async function buildGood(
  files: Readonly<Record<string, string>>,
  options: InlineBuildOptions = {},
): Promise<InlineBuild> {
  return good(await buildInline(files, options));
}

/** Returns the build if it succeeded; otherwise throws its whole output. */
export function good<T extends ProcessResult>(build: T): T {
  if (build.exitCode !== 0) expect.fail(`tbuild exited with ${build.exitCode}\n${build.stdout}\n${build.stderr}`);
  return build;
}

/** Writes files below a directory (a new one by default) and returns the directory. */
export function writeFiles(
  files: Readonly<Record<string, string | Buffer>>,
  directory: string = scratchDirectory('context'),
): string {
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true });
    if (name.endsWith('/')) continue;
    rmSync(path, { force: true });
    writeFileSync(path, content);
    chmodSync(path, content.indexOf('#!') === 0 ? 0o755 : 0o644);
  }
  return directory;
}

function checkedImage(store: string, id: string, result: ProcessResult): LayoutImage {
  good(result);
  const image = imageWithId(store, id);
  expect(problemsOf(image)).toEqual([]);
  return image;
}
