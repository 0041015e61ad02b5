import { resolve } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { readLimitedFile } from '@tbuild/linux';
import { goBool } from '@tbuild/oci';
import type { BuildSettings, BuildSpec, Isolation, NetworkMode, Permission, PullPolicy } from '@tbuild/spec';
import type { Environment } from '../config/environment.ts';
import { rebuildSecrets } from '../request/secrets.ts';
import type { FlagValues } from './args.ts';
import { resourceFlags, type buildFlags } from './build-flags.ts';
import { choiceOf } from './choice.ts';
import { parseFields } from './fields.ts';
import { requireName, requirePair, splitPair } from './pairs.ts';
import { type registryFlags, registryOptions } from './registry-flags.ts';

/** The options of `tbuild build` that were given. */
export type BuildFlags = FlagValues<typeof buildFlags>;

/**
 * Returns what a command line asks for. Checks its form only.
 * @throws TbuildError USAGE for an option in another form than its help text shows.
 */
export function specFromFlags(
  flags: BuildFlags,
  positional: readonly string[],
  env: Pick<Environment, 'variables' | 'cwd'>,
): BuildSpec {
  return {
    context: contextOf(positional),
    dockerfile: flags.file,
    contexts: record(flags['build-context'], (text) => requirePair(text, '--build-context', 'NAME=SOURCE')),
    target: flags.target,
    platforms: words(flags.platform),
    buildArgs: buildArgs(flags, env),
    labels: record(flags.label, (text) => splitPair(requireName(text, '--label'))),
    annotations: record(flags.annotation, (text) => requirePair(text, '--annotation', '[KIND:]NAME=VALUE')),
    ...imageEdits(flags, env),
    ignoreFile: flags.ignorefile,
    sourcePolicy: flags['source-policy-file'],
    tags: flags.tag,
    outputs: nonEmpty(flags.output),
    rewriteTimestamp: flags['rewrite-timestamp'] ?? (flags.timestamp === undefined ? undefined : true),
    push: flags.push,
    load: flags.load,
    noCache: flags['no-cache'] === true ? true : words(flags['no-cache-filter']),
    pull: flags.pull === undefined ? undefined : pullOf(flags.pull),
    rebuildSecrets: rebuildSecrets(flags.secret ?? []),
    cacheTtl: flags['cache-ttl'],
    cacheFrom: nonEmpty(flags['cache-from']),
    cacheTo: nonEmpty(flags['cache-to']),
    ...stepSpec(flags),
    ...attestations(flags),
    timeout: flags.timeout,
  };
}

/** Leaves out empty values, as buildx does: an unset variable of a script means none. */
function nonEmpty(texts: readonly string[] | undefined): readonly string[] | undefined {
  return texts?.filter((text) => text !== '');
}

/** Returns how a command line asks to build. */
export function settingsFromFlags(
  flags: Pick<BuildFlags, 'root' | 'isolation' | 'cdi-spec-dir' | 'unpack-limits' | keyof typeof registryFlags>,
): BuildSettings {
  const { insecure, mirrors, mirrorsOnly, ca, certificates, minDownloadRate, serverTimeout } = registryOptions(flags);
  return {
    root: flags.root,
    isolation: flags.isolation === undefined ? undefined : isolationOf(flags.isolation),
    insecureRegistries: insecure,
    registryMirrors: mirrors,
    mirrorsOnly,
    ca,
    cdiSpecDirs: flags['cdi-spec-dir'],
    unpackLimits: flags['unpack-limits'],
    registryCertificates: certificates,
    minDownloadRate,
    serverTimeout,
  };
}

export const NETWORKS: readonly NetworkMode[] = ['default', 'none', 'host', 'pasta'];
export const PULL_POLICIES: readonly PullPolicy[] = ['newer', 'missing', 'never', 'always'];
export const ISOLATIONS: readonly Isolation[] = ['auto', 'namespace', 'oci', 'chroot'];
export const PERMISSIONS: readonly Permission[] = [
  'network.host',
  'security.insecure',
  'device',
  'buildx.local.delete',
];

/**
 * Reads when to ask registries for base images: true, false or a policy.
 * @throws TbuildError USAGE
 */
export function pullOf(text: string): boolean | PullPolicy {
  const isOn = text === '' ? true : goBool(text);
  return isOn ?? choiceOf(text, PULL_POLICIES, '--pull');
}

/**
 * Reads a network mode.
 * @throws TbuildError USAGE
 */
export function networkOf(text: string): NetworkMode {
  return choiceOf(text, NETWORKS, '--network');
}

/** Reads an isolation; `default`, the only one that Docker has, is `auto`. @throws TbuildError USAGE */
export function isolationOf(word: string): Isolation {
  return word === 'default' ? 'auto' : choiceOf(word, ISOLATIONS, '--isolation');
}

/**
 * Reads what a user allows.
 * @throws TbuildError USAGE
 */
export function permissionOf(text: string): Permission {
  if (isDevice(text)) return text;
  return choiceOf(text, PERMISSIONS, '--allow');
}

const isDevice = (text: string): text is `device=${string}` => /^device=[^,]+(?:,alias=[^,]+)?$/.test(text);

/** Returns the parts of one `--allow`, of which `device=NAME,alias=NAME` is one. */
export function grantsIn(text: string): readonly string[] {
  return text.split(/,(?!alias=)/).filter((grant) => grant !== '');
}

function contextOf([context, ...more]: readonly string[]): string {
  if (context === undefined)
    throw new TbuildError('USAGE', 'A build needs a context: the directory to copy files from', {
      hint: 'Write for example tbuild -t NAME .',
    });
  if (more.length === 0) return context;
  const given = [context, ...more].map((one) => JSON.stringify(one)).join(' and ');
  throw new TbuildError('USAGE', `A build has one context, got ${given}`);
}

/** Returns the part for RUN steps. */
function stepSpec(flags: BuildFlags): Omit<BuildSpec, 'context'> {
  return {
    jobs: flags.jobs === undefined ? undefined : jobsOf(flags.jobs),
    network: flags.network === undefined ? undefined : networkOf(flags.network),
    extraHosts: words(flags['add-host']),
    ssh: record(flags.ssh, sshPair),
    shmSize: flags['shm-size'],
    ulimits: record(flags.ulimit, (text) => requirePair(text, '--ulimit', 'NAME=SOFT[:HARD]')),
    resources: { ...olderResources(flags), ...record(resourceFields(flags), resourcePair) },
    cgroupParent: flags['cgroup-parent'],
    allow: flags.allow?.flatMap(grantsIn).map(permissionOf),
    logMax: flags['log-max'],
    fakeIds: flags['fake-ids'],
  };
}

/** Reads `--jobs`. @throws TbuildError USAGE */
export function jobsOf(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new TbuildError('USAGE', `Invalid --jobs ${JSON.stringify(text)}: expected a positive number`);
}

function words(texts: readonly string[] | undefined): readonly string[] | undefined {
  return texts?.flatMap((text) => text.split(',')).filter((word) => word !== '');
}

function record<T>(
  texts: readonly string[] | undefined,
  read: (text: string) => readonly [name: string, value: T],
): Readonly<Record<string, T>> | undefined {
  return texts === undefined ? undefined : Object.fromEntries(texts.map(read));
}

/** Collects the build arguments: those of files, then the others, then the times of Buildah's options. */
function buildArgs(flags: BuildFlags, env: Pick<Environment, 'variables' | 'cwd'>): Readonly<Record<string, string>> {
  const { timestamp: epoch = flags['source-date-epoch'] } = flags;
  const texts = [
    ...(flags['build-arg-file'] ?? []).flatMap((file) => readArgFile(resolve(env.cwd, file))),
    ...(flags['build-arg'] ?? []).map((text) => requireName(text, '--build-arg')),
    ...(epoch === undefined ? [] : [`SOURCE_DATE_EPOCH=${epoch}`]),
  ];
  return buildArgsOf(texts, env);
}

/** Reads build arguments. One without a value takes it from the environment, or stays unset. */
export function buildArgsOf(
  texts: readonly string[],
  { variables }: Pick<Environment, 'variables'>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(texts.flatMap((text) => buildArg(text, variables)));
}

/** Reads the lines of a file; empty ones and those that begin with `#` do not count. */
function readArgFile(path: string): readonly string[] {
  const what = `File ${JSON.stringify(path)} of --build-arg-file`;
  const bytes = readLimitedFile(path, { what, code: 'USAGE', pipes: true });
  if (bytes === undefined) throw new TbuildError('USAGE', `${what} does not exist`);
  const lines = bytes
    .toString()
    .split(/\r?\n/)
    .map((line) => line.trimStart());
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

function imageEdits(flags: BuildFlags, { variables }: Pick<Environment, 'variables'>): Omit<BuildSpec, 'context'> {
  return {
    baseAnnotations: flags['base-annotations'],
    env: flags.env && buildArgsOf(flags.env, { variables }),
    unsetEnv: flags.unsetenv,
    unsetLabels: flags.unsetlabel,
    omitHistory: flags['omit-history'],
  };
}

function buildArg(text: string, variables: Environment['variables']): [name: string, value: string][] {
  if (text.includes('=')) return [splitPair(text)];
  const value = variables[text];
  return value === undefined ? [] : [[text, value]];
}

/** Reads `--ssh ID[=SOCKET|KEY,...]`. */
export function sshPair(text: string): [id: string, source: true | readonly string[]] {
  const [id, paths] = splitPair(text);
  return [id, paths === '' ? true : paths.split(',').filter((path) => path !== '')];
}

/** Splits resources that stand in one option; their values may be lists with commas too. */
function resourceFields({ resource }: BuildFlags): readonly string[] | undefined {
  return resource?.flatMap((text) => text.split(/,(?=[^,]*=)/));
}

function resourcePair(text: string): [name: string, value: string] {
  return requirePair(text, '--resource', 'NAME=VALUE');
}

function olderResources(flags: FlagValues<typeof resourceFlags>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(flags).filter(([name]) => Object.hasOwn(resourceFlags, name)));
}

/** Reads attestations. The last `--attest` of a type counts; `--provenance` and `--sbom` win, as with buildx. */
function attestations({ attest = [], provenance, sbom }: BuildFlags): Pick<BuildSpec, 'provenance' | 'sbom'> {
  const written = new Map(
    attest.map((text) => {
      const { type } = parseFields(text, '--attest');
      if (type === undefined)
        throw new TbuildError('USAGE', `Invalid --attest ${JSON.stringify(text)}: type= is required`, {
          hint: 'Write for example --attest type=provenance,mode=max',
        });
      return [choiceOf(type, ['provenance', 'sbom'], 'type of --attest'), text];
    }),
  );
  return { provenance: provenance ?? written.get('provenance'), sbom: sbom ?? written.get('sbom') };
}
