import { posix } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import type { BuildSpec, NetworkMode, Permission } from '@tbuild/spec';
import { isRemote } from './definition/resolve.ts';
import type { Entry, TargetAttributes, TextMap } from './definition/target.ts';

/** A target as a build takes it. */
export interface TargetSpec {
  readonly spec: BuildSpec;
  /** The secrets, each as the value of `--secret`. */
  readonly secrets: readonly string[];
}

/**
 * Turns a target into what `tbuild build` takes. Permissions are those of its entitlements.
 * @throws TbuildError BAKE_FILE for a setting that is not of its form.
 */
export function specOf(target: TargetAttributes): TargetSpec {
  const { attest = [], ...rest } = target;
  const spec: BuildSpec = {
    ...sourcesOf(target),
    target: target.target,
    platforms: target.platforms,
    buildArgs: withoutNull(target.args),
    labels: withoutNull(target.labels),
    annotations: pairsOf(target.annotations, 'annotations'),
    tags: target.tags,
    outputs: target.output?.map(textOfEntry),
    noCache: rest['no-cache'] === true ? true : rest['no-cache-filter'],
    pull: target.pull,
    cacheFrom: rest['cache-from']?.map(textOfEntry),
    cacheTo: rest['cache-to']?.map(textOfEntry),
    network: target.network === undefined || target.network === '' ? undefined : (target.network as NetworkMode),
    extraHosts: hostsOf(rest['extra-hosts']),
    ssh: sshOf(target.ssh),
    shmSize: rest['shm-size'],
    ulimits: pairsOf(target.ulimits, 'ulimits'),
    resources: withoutNull(target.resources),
    allow: target.entitlements as readonly Permission[] | undefined,
    provenance: attestationOf('provenance', attest),
    sbom: attestationOf('sbom', attest),
  };
  return { spec, secrets: (target.secret ?? []).map(textOfEntry) };
}

function sourcesOf(target: TargetAttributes): Pick<BuildSpec, 'context' | 'dockerfile' | 'contexts'> {
  const { context = '.', dockerfile = 'Dockerfile' } = target;
  const inline = target['dockerfile-inline'];
  const local = /^cwd:\/\/(.*)$/.exec(dockerfile)?.[1];
  const isElsewhere = isRemote(context) || dockerfile.startsWith('/') || isRemote(dockerfile);
  const path = local ?? (isElsewhere ? dockerfile : posix.join(context, dockerfile));
  const contexts = Object.entries(withoutNull(target.contexts) ?? {}).map(([name, source]) => [
    name,
    source.replace(/^cwd:\/\//, '') || '.',
  ]);
  return {
    context,
    // The default is looked up in either case of its first letter.
    dockerfile: inline === undefined ? (dockerfile === 'Dockerfile' ? undefined : path) : { text: inline },
    ...(contexts.length === 0 ? {} : { contexts: Object.fromEntries(contexts) }),
  };
}

function withoutNull(map: TextMap | undefined): Record<string, string> | undefined {
  if (map === undefined) return undefined;
  return Object.fromEntries(Object.entries(map).flatMap(([name, text]) => (text === null ? [] : [[name, text]])));
}

function pairsOf(texts: readonly string[] | undefined, attribute: string): Record<string, string> | undefined {
  if (texts === undefined) return undefined;
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
      throw new TbuildError('BAKE_FILE', `Invalid value ${JSON.stringify(text)} of ${attribute}: expected NAME=VALUE`);
    }),
  );
}

/** A name may have several addresses, separated by commas. */
function hostsOf(map: TextMap | undefined): string[] | undefined {
  if (map === undefined) return undefined;
  return Object.entries(withoutNull(map) ?? {}).flatMap(([name, addresses]) =>
    addresses.split(',').map((address) => `${name}:${address}`),
  );
}

function sshOf(entries: readonly Entry[] | undefined): BuildSpec['ssh'] {
  if (entries === undefined) return undefined;
  return Object.fromEntries(
    entries.map(({ id = 'default', paths }) => [
      String(id),
      Array.isArray(paths) && paths.length > 0 ? paths.map(String) : true,
    ]),
  );
}

/** Returns the settings of an attestation as one text, or true for one without settings. */
function attestationOf(type: string, entries: readonly Entry[]): string | true | undefined {
  const entry = entries.find((one) => one.type === type);
  if (entry === undefined || entry.disabled === true) return undefined;
  const { type: _, disabled: _off, ...settings } = entry;
  return Object.keys(settings).length === 0 ? true : textOfEntry(settings);
}

/** Writes settings as the command line takes them. */
function textOfEntry(entry: Entry): string {
  const fields = Object.entries(entry).flatMap(([name, value]) => {
    const values = Array.isArray(value) ? value.map(String) : [String(value)];
    return values.map((one) => `${name}=${one}`);
  });
  return fields.map((field) => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');
}
