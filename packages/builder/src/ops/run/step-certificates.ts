import { lstatSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { resolveDestination } from '@tbuild/context';
import type { SandboxMount } from '@tbuild/executor';
import {
  type ActiveSnapshot,
  type Attributes,
  isWhiteout,
  type LayeredTree,
  openLayeredTree,
  type OverlayFlavour,
  readAttributes,
  type TreeWriter,
} from '@tbuild/snapshot';
import type { StepFiles } from './step-files.ts';

/** Certificates of authorities (PEM) that steps trust beside those of their image. */
export interface Certificates {
  readonly added: string;
  /** Those that programs find on this machine, for images without any. */
  readonly machine: string;
}

/** What a step needs to trust more authorities. */
export interface StepTrust {
  readonly mounts: readonly SandboxMount[];
  readonly env: readonly string[];
  /** Takes the certificates out of what the step changed. Call it when the step has ended. */
  takeBack(): void;
}

/** The step's tree. */
export interface StepTree {
  readonly active: ActiveSnapshot;
  readonly tree: LayeredTree;
  readonly flavour: OverlayFlavour;
}

/** Where the certificates go. */
export interface TrustPlaces {
  readonly files: StepFiles;
  /** Writes into a layer of the step's tree that no commit has. */
  readonly writer: TreeWriter;
}

/** Marks what is added to a bundle, so that it can be found again. */
const MARK = '# Added by tbuild for the time of one step\n';

/**
 * Lets a step trust the certificates. It sees them in the bundles of its image, by a layer that is no part of the tree: so it
 * may replace a bundle, as update-ca-certificates does, which a mount would prevent. Variables name files for programs that
 * look elsewhere.
 */
export function trustInStep(
  certificates: Certificates,
  { active, tree, flavour }: StepTree,
  { files, writer }: TrustPlaces,
): StepTrust {
  const addition = Buffer.from(`\n${MARK}${certificates.added}`);
  const bundles = bundlesOf(tree);
  for (const { path, bytes, attributes } of bundles) {
    writer.ensureDirectory(posix.dirname(path), NEW_DIRECTORY);
    writer.file(path, attributes, { bytes: Buffer.concat([bytes, addition]) });
  }
  const system = bundles.find(({ isNew }) => !isNew)?.bytes ?? Buffer.from(certificates.machine);
  const named = { added: Buffer.from(certificates.added), all: Buffer.concat([system, addition]) };
  return {
    mounts: PLACES.map(({ target, kind }): SandboxMount => ({
      type: 'bind',
      source: files.write('certificates', named[kind], { mode: 0o644 }),
      target,
      readonly: true,
    })),
    env: PLACES.flatMap(({ target, variables }) => variables.map((name) => `${name}=${target}`)),
    takeBack() {
      for (const bundle of bundles) takeOut(bundle, addition, openLayeredTree([active.upper], flavour));
    },
  };
}

/**
 * The files for programs that do not read the system's bundle, and the variables that name them. /dev is a directory of the
 * step alone, so the names are nowhere in the tree.
 */
const PLACES = [
  { target: '/dev/tbuild-ca-added.pem', kind: 'added', variables: ['NODE_EXTRA_CA_CERTS', 'DENO_CERT'] },
  {
    target: '/dev/tbuild-ca.pem',
    kind: 'all',
    // Each takes the place of what its program trusts by itself.
    variables: [
      'SSL_CERT_FILE',
      'CURL_CA_BUNDLE',
      'REQUESTS_CA_BUNDLE',
      'PIP_CERT',
      'GIT_SSL_CAINFO',
      'CARGO_HTTP_CAINFO',
      'AWS_CA_BUNDLE',
      'BUNDLE_SSL_CA_CERT',
    ],
  },
] as const;

interface Bundle {
  /** Free of symbolic links. */
  readonly path: string;
  readonly bytes: Buffer;
  readonly attributes: Attributes;
  /** Whether the image lacks it. */
  readonly isNew: boolean;
}

/** Where Debian and Alpine, OpenSSL of Alpine, Fedora, and SUSE keep the certificates that programs trust. */
const BUNDLES = [
  'etc/ssl/certs/ca-certificates.crt',
  'etc/ssl/cert.pem',
  'etc/pki/tls/certs/ca-bundle.crt',
  'etc/ssl/ca-bundle.pem',
] as const;

const NEW_FILE: Attributes = { mode: 0o644, uid: 0, gid: 0, mtimeMs: 0 };
const NEW_DIRECTORY: Attributes = { ...NEW_FILE, mode: 0o755 };

/** Returns the bundles of the tree. An image without any gets Debian's, where most programs look first. */
function bundlesOf(tree: LayeredTree): readonly Bundle[] {
  const paths = BUNDLES.map((path) => resolveDestination(tree, path));
  const found = [...new Set(paths)].flatMap((path): Bundle[] => {
    const entry = tree.stat(path);
    if (entry?.stats.isFile() !== true) return [];
    const { location, stats } = entry;
    return [{ path, bytes: readFileSync(location), attributes: readAttributes(location, stats), isNew: false }];
  });
  if (found.length > 0) return found;
  return paths.slice(0, 1).map((path) => ({ path, bytes: Buffer.alloc(0), attributes: NEW_FILE, isNew: true }));
}

/** Takes the addition out of a bundle that the step changed, and removes what is left of a bundle that is not the image's. */
function takeOut({ path, isNew }: Bundle, addition: Buffer, changes: LayeredTree): void {
  const parent = changes.stat(posix.dirname(path));
  if (parent?.stats.isDirectory() !== true) return;
  const location = `${parent.location}/${posix.basename(path)}`;
  const stats = lstatSync(location, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (isNew && isWhiteout(stats)) return rmSync(location);
  if (!stats.isFile()) return;
  const bytes = readFileSync(location);
  const at = bytes.indexOf(addition);
  if (at < 0) return;
  if (isNew && bytes.length === addition.length) return rmSync(location);
  writeFileSync(location, Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + addition.length)]));
  utimesSync(location, stats.atime, stats.mtime);
}
