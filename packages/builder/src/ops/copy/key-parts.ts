import { constants } from 'node:fs';
import { type FileHasher, readLink, type SelectedSource, type TreeEntry, typeOf } from '@tbuild/context';
import type { CopyOp, CopySelection, MkdirOp, ResultId, RunOp } from '@tbuild/graph';
import { canonicalJson, digestOf, hexOf, type Digest } from '@tbuild/oci';
import type { KeyParts } from '@tbuild/solver';
import type { KeyedMount } from '../run/mounts/keyed-mount.ts';
import type { FileInput } from './file-input.ts';

const INLINE = 'the text in the Dockerfile';

/** Returns the parts of the key of a COPY or ADD. */
export async function copyParts(
  { chown, chmod, destination, exclude, parents }: CopyOp,
  from: readonly { readonly content: Digest; readonly input?: FileInput; readonly selection: CopySelection }[],
  { base, epoch }: { readonly base: ResultId | undefined; readonly epoch: number | undefined },
): Promise<KeyParts> {
  const ways = from.map(({ selection: { unpack, keepOwner } }) => [unpack, keepOwner]);
  const instruction = shortDigest({ chown, chmod, destination, exclude, parents, ways });
  const written = from.flatMap(({ content, input }) => (input === undefined ? [shortDigest(content)] : []));
  return joined(
    [
      ...baseParts(base),
      ['instruction', instruction],
      ...(written.length === 0 ? [] : [[INLINE, written.join()] as const]),
      ...epochParts(epoch),
    ],
    await selected(from.map(({ input }) => input)),
  );
}

/** What a RUN depends on besides its instruction. */
export interface RunInputs {
  readonly base: ResultId | undefined;
  readonly mounts: readonly KeyedMount[];
  /** The keyed options of the whole build. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Returns the parts of the key of a RUN. */
export async function runParts(op: RunOp, { base, mounts, options }: RunInputs): Promise<KeyParts> {
  const { args, env, cwd, user, hostname, network, security, platform, devices = [] } = op;
  const variables = env.map((text) => [`variable ${text.split('=', 1)[0] ?? ''}`, hint(text)] as const);
  const shown = mounts.map(
    ({ mount, key, input }) =>
      [
        mount.type === 'bind' && mount.from.kind === 'inline' ? INLINE : `mount ${mount.target}`,
        shortDigest({ ...key, ...(input === undefined ? {} : { content: undefined }) }),
      ] as const,
  );
  const given = Object.entries(options).map(([name, value]) => [`option ${name}`, shortDigest(value)] as const);
  const own = { 'working directory': cwd, user, hostname, network, security, platform: shortDigest(platform) };
  const asked = devices.map(({ name, required }) => [`device ${name}`, String(required)] as const);
  return joined(
    [
      ...baseParts(base),
      ['instruction', shortDigest(args)],
      ...Object.entries(own),
      ...given,
      ...variables,
      ...shown,
      ...asked,
    ],
    await selected(mounts.map(({ input }) => input)),
  );
}

/** Returns the parts of the key of a WORKDIR. */
export function mkdirParts(
  { path, mode, user }: MkdirOp,
  { base, epoch }: { readonly base: ResultId | undefined; readonly epoch: number | undefined },
): KeyParts {
  return [...baseParts(base), ['instruction', path], ['mode', octal(mode)], ['user', user], ...epochParts(epoch)];
}

type Part = readonly [name: string, value: string];

function baseParts(base: ResultId | undefined): readonly Part[] {
  return base === undefined ? [] : [['base', hexOf(base).slice(0, 12)]];
}

function epochParts(epoch: number | undefined): readonly Part[] {
  return epoch === undefined ? [] : [['SOURCE_DATE_EPOCH', String(epoch)]];
}

type Selected = readonly { readonly input: FileInput; readonly sources: readonly SelectedSource[] }[];

async function selected(inputs: readonly (FileInput | undefined)[]): Promise<Selected> {
  return Promise.all(
    inputs.flatMap((input) => (input === undefined ? [] : [input.select().then((sources) => ({ input, sources }))])),
  );
}

function* joined(parts: Iterable<Part>, inputs: Selected): Generator<Part, void> {
  yield* parts;
  for (const { input, sources } of inputs) {
    for (const { entry, files } of sources) {
      if (typeOf(entry.stats) !== 'directory' || (input.shown && entry.path !== '')) yield filePart(entry, input);
      for (const file of files) yield filePart(file.entry, input);
    }
  }
}

function filePart(entry: TreeEntry, { hasher, owner, anyMode }: FileInput): Part {
  const { mode, uid, gid } = entry.stats;
  const bits = anyMode ? '' : octal(mode);
  const access = owner === 'keep' ? `${bits}:${uid}:${gid}` : bits;
  return [`file ${entry.path}`, `${access} ${contentOf(entry, hasher)}`];
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8);
}

/** Describes files by their keyed digests, without reading them again; links by target, others by type. */
function contentOf(entry: TreeEntry, hasher: FileHasher): string {
  if ((entry.stats.mode & constants.S_IFMT) === constants.S_IFLNK) return shortDigest(readLink(entry));
  return (
    hasher.known(entry)?.slice('sha256:'.length, 'sha256:'.length + 12) ?? `${entry.stats.mode & constants.S_IFMT}`
  );
}

/** Returns a short hash: enough to see that a value changed, too little to guess it. */
function hint(text: string): string {
  return shortDigest(text).slice(0, 4);
}

function shortDigest(value: unknown): string {
  return hexOf(digestOf(canonicalJson(value))).slice(0, 12);
}
