import type {
  BakeDefinition,
  BakeTarget,
  BuildSettings,
  BuildSpec,
  CacheSource,
  CacheTarget,
  CertificateFiles,
  OutputOptions,
  ProvenanceOptions,
  SbomOptions,
} from '@tbuild/spec';
import { isolationOf, networkOf, permissionOf, pullOf } from '../flags/build-spec.ts';
import { limitedSecret } from '../request/secrets.ts';
import type { AskedBuild } from '../services/open-build.ts';
import { amountOf, CallFields, listOf, membersOf, mustBe, optionsOf, textOf } from './call-fields.ts';

/** A build that a program asks for. */
export interface CalledBuild extends AskedBuild {
  readonly readSecret: (id: string) => Buffer | undefined;
}

/** The fields of a build, or of one of several targets. */
export type Fields = CallFields<keyof BuildSpec | keyof BuildSettings | keyof BakeDefinition | 'secrets'>;

export function openFields(value: unknown, place?: string): Fields {
  return new CallFields(value, place);
}

/**
 * Checks the types of what a program asks for.
 * @throws TbuildError USAGE with the name of a field that is unknown or has another type.
 */
export function readSpec(argument: unknown): CalledBuild {
  const fields = openFields(argument);
  const own = { jobs: fields.number('jobs'), timeout: fields.text('timeout') };
  const settings = settingsOf(fields);
  const readSecret = secretsOf(fields.take('secrets') ?? {});
  return { spec: { ...readTarget(fields), ...own }, settings, readSecret };
}

/** Reads what both a build and one of several targets have. The fields have no others left. */
export function readTarget(fields: Fields, place = ''): BakeTarget {
  const context = fields.take('context');
  const wanted = { ...imageSpec(fields), ...stepSpec(fields) };
  fields.done();
  return { context: notStandard(context, `${place}context`), ...wanted };
}

function imageSpec(fields: Fields): Omit<BakeTarget, 'context'> {
  return {
    dockerfile: fields.read('dockerfile', dockerfileOf),
    target: fields.text('target'),
    platforms: fields.list('platforms', textOf),
    labels: fields.record('labels', textOf),
    annotations: fields.record('annotations', textOf),
    ...editsOf(fields),
    ignoreFile: fields.text('ignoreFile'),
    sourcePolicy: fields.text('sourcePolicy'),
    rewriteTimestamp: fields.flag('rewriteTimestamp'),
    tags: fields.list('tags', textOf),
    outputs: fields.list('outputs', optionsOf<OutputOptions>),
    push: fields.flag('push'),
    load: fields.flag('load'),
    provenance: fields.read('provenance', switchOrOptions<ProvenanceOptions>),
    sbom: fields.read('sbom', switchOrOptions<SbomOptions>),
    cacheTo: fields.list('cacheTo', optionsOf<CacheTarget>),
  };
}

function editsOf(fields: Fields): Omit<BakeTarget, 'context'> {
  return {
    baseAnnotations: fields.flag('baseAnnotations'),
    env: fields.record('env', textOf),
    unsetEnv: fields.list('unsetEnv', textOf),
    unsetLabels: fields.list('unsetLabels', textOf),
    omitHistory: fields.flag('omitHistory'),
  };
}

function stepSpec(fields: Fields): Omit<BakeTarget, 'context'> {
  return {
    noCache: fields.read('noCache', flagOrTexts),
    buildArgs: fields.record('buildArgs', textOf),
    contexts: fields.record('contexts', textOf),
    cacheTtl: fields.text('cacheTtl'),
    cacheFrom: fields.list('cacheFrom', optionsOf<CacheSource>),
    pull: fields.read('pull', (value, field) => (typeof value === 'boolean' ? value : pullOf(textOf(value, field)))),
    network: fields.read('network', (value, field) => networkOf(textOf(value, field))),
    extraHosts: fields.list('extraHosts', textOf),
    ssh: fields.record('ssh', sshSourceOf),
    rebuildSecrets: fields.list('rebuildSecrets', textOf),
    shmSize: fields.read('shmSize', amountOf),
    ulimits: fields.record('ulimits', limitOf),
    resources: fields.record('resources', amountOf),
    cgroupParent: fields.text('cgroupParent'),
    allow: fields.list('allow', (value, field) => permissionOf(textOf(value, field))),
    logMax: fields.read('logMax', amountOf),
    fakeIds: fields.flag('fakeIds'),
  };
}

export function settingsOf(fields: Fields): BuildSettings {
  return {
    root: fields.text('root'),
    isolation: fields.read('isolation', (value, field) => isolationOf(textOf(value, field))),
    insecureRegistries: fields.list('insecureRegistries', textOf),
    registryMirrors: fields.list('registryMirrors', textOf),
    mirrorsOnly: fields.flag('mirrorsOnly'),
    ca: fields.list('ca', textOf),
    cdiSpecDirs: fields.list('cdiSpecDirs', textOf),
    registryCertificates: fields.record('registryCertificates', certificateOf),
    unpackLimits: fields.text('unpackLimits'),
    minDownloadRate: fields.text('minDownloadRate'),
    serverTimeout: fields.text('serverTimeout'),
  };
}

function certificateOf(value: unknown, field: string): CertificateFiles {
  const fields = new CallFields<keyof CertificateFiles>(value, field);
  const files = { ca: fields.text('ca'), certificate: fields.text('certificate'), key: fields.text('key') };
  fields.done();
  return files;
}

/** Standard input belongs to the caller. */
function notStandard(value: unknown, field: string): string {
  if (value === '-') throw mustBe('a path or a URL', value, field);
  return textOf(value, field);
}

function dockerfileOf(value: unknown, field: string): NonNullable<BuildSpec['dockerfile']> {
  if (typeof value === 'string') return notStandard(value, field);
  const fields = new CallFields<'text'>(value, field);
  const text = textOf(fields.take('text'), `${field}.text`);
  fields.done();
  return { text };
}

function flagOrTexts(value: unknown, field: string): boolean | readonly string[] {
  return typeof value === 'boolean' ? value : textsOf(value, field);
}

function textsOf(value: unknown, field: string): readonly string[] {
  return listOf(value, field).map((one, at) => textOf(one, `${field}[${at}]`));
}

function switchOrOptions<T extends object>(value: unknown, field: string): boolean | string | T {
  return typeof value === 'boolean' ? value : optionsOf<T>(value, field);
}

function sshSourceOf(value: unknown, field: string): true | string | readonly string[] {
  return value === true || typeof value === 'string' ? value : textsOf(value, field);
}

function limitOf(value: unknown, field: string): number | string | { readonly soft: number; readonly hard: number } {
  if (typeof value !== 'object') return amountOf(value, field);
  const fields = new CallFields<'soft' | 'hard'>(value, field);
  const [soft, hard] = [fields.take('soft'), fields.take('hard')];
  fields.done();
  return { soft: wholeNumber(soft, `${field}.soft`), hard: wholeNumber(hard, `${field}.hard`) };
}

function wholeNumber(value: unknown, field: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw mustBe('a whole number', value, field);
}

export function secretsOf(value: unknown): CalledBuild['readSecret'] {
  const secrets = new Map<string, Buffer>();
  for (const [id, secret] of membersOf(value, 'secrets')) {
    if (typeof secret !== 'string' && !(secret instanceof Uint8Array))
      throw mustBe('a text or bytes', typeof secret, `secrets.${id}`);
    secrets.set(id, limitedSecret(id, Buffer.from(secret)));
  }
  return (id) => secrets.get(id);
}
