import { constants, readlinkSync } from 'node:fs';
import type { ResultId } from '@tbuild/cache';
import type { FileHasher, SelectedFile, SelectedSource } from '@tbuild/context';
import type { CopyOp, MkdirOp, RunOp } from '@tbuild/graph';
import { canonicalJson, digestOf, hexOf } from '@tbuild/oci';
import type { KeyParts } from '@tbuild/solver';
import type { FileInput } from './file-input.ts';
import type { KeyedMount } from './keyed-mount.ts';

/** What the key of a COPY or ADD was made of. */
export async function copyParts(
  { chown, chmod, destination, exclude, parents }: CopyOp,
  inputs: readonly (FileInput | undefined)[],
  base: ResultId | undefined,
): Promise<KeyParts> {
  return {
    ...baseParts(base),
    instruction: shortDigest({ chown, chmod, destination, exclude, parents }),
    ...(await fileParts(inputs)),
  };
}

/** What the key of a RUN was made of. Values of variables are kept as digests only. */
export async function runParts(
  op: RunOp,
  mounts: readonly KeyedMount[],
  base: ResultId | undefined,
): Promise<KeyParts> {
  const { args, env, cwd, user, hostname, network, security, platform } = op;
  const variables = env.map((text) => [`variable ${text.split('=', 1)[0] ?? ''}`, shortDigest(text)] as const);
  const shown = mounts.map(
    ({ mount, key, input }) =>
      [
        `mount ${mount.target}`,
        shortDigest({ ...key, ...(input === undefined ? {} : { content: undefined }) }),
      ] as const,
  );
  return {
    ...baseParts(base),
    instruction: shortDigest(args),
    'working directory': cwd,
    user,
    hostname,
    network,
    security,
    platform: shortDigest(platform),
    ...Object.fromEntries([...variables, ...shown]),
    ...(await fileParts(mounts.map(({ input }) => input))),
  };
}

/** What the key of a WORKDIR was made of. */
export function mkdirParts({ path, mode, user }: MkdirOp, base: ResultId | undefined): KeyParts {
  return { ...baseParts(base), instruction: path, mode: octal(mode), user };
}

function baseParts(base: ResultId | undefined): KeyParts {
  return base === undefined ? {} : { base: hexOf(base).slice(0, 12) };
}

async function fileParts(inputs: readonly (FileInput | undefined)[]): Promise<KeyParts> {
  const parts: Record<string, string> = {};
  for (const input of inputs) {
    if (input === undefined) continue;
    for (const source of await input.select()) addSource(source, input, parts);
  }
  return parts;
}

function addSource(
  { entry, files }: SelectedSource,
  { hasher, owner }: FileInput,
  parts: Record<string, string>,
): void {
  const add = ({ entry: { path, stats }, entry: file }: Pick<SelectedFile, 'entry'>): void => {
    const access = owner === 'keep' ? `${octal(stats.mode)}:${stats.uid}:${stats.gid}` : octal(stats.mode);
    parts[`file ${path}`] = `${access} ${contentOf(file, hasher)}`;
  };
  if (files.length === 0) add({ entry });
  for (const file of files) if (file.implied !== true) add(file);
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8);
}

/** Files by what they were keyed by, so that none is read again; links by their target, others by their type. */
function contentOf(entry: SelectedFile['entry'], hasher: FileHasher): string {
  if ((entry.stats.mode & constants.S_IFMT) === constants.S_IFLNK) return shortDigest(readlinkSync(entry.location));
  return (
    hasher.known(entry)?.slice('sha256:'.length, 'sha256:'.length + 12) ?? `${entry.stats.mode & constants.S_IFMT}`
  );
}

function shortDigest(value: unknown): string {
  return hexOf(digestOf(canonicalJson(value))).slice(0, 12);
}
