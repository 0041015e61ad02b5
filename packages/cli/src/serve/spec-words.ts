import type { BuildOptions, BuildSpec } from '@tbuild/api';
import type { DockerfileSpec } from '@tbuild/builder';
import type { BuildWords } from '../services/open-build.ts';
import { limitedSecret } from '../request/secrets.ts';
import { amountOf, CallFields, listOf, membersOf, mustBe, optionsOf, textOf } from './call-fields.ts';

/** A build as a program asks for it. */
export interface AskedBuild extends BuildWords {
  readonly readSecret: (id: string) => Buffer | undefined;
}

/** All that a program may ask for: a name that is missing here or there is an error of types. */
type Fields = CallFields<keyof BuildSpec | Exclude<keyof BuildOptions, 'onEvent' | 'signal' | 'env' | 'program'>>;

/**
 * Reads what a program asks for as the options of the command line that say the same: these are read in one place.
 * @throws TbuildError USAGE with the name of a field that is unknown or of another type.
 */
export function specWords(argument: unknown): AskedBuild {
  const fields: Fields = new CallFields(argument);
  const { file, dockerfile } = dockerfileOf(fields.take('dockerfile'));
  const context = fields.take('context');
  const words = {
    dockerfile,
    flags: {
      ...imageFlags(fields),
      ...stepFlags(fields),
      file,
      root: fields.text('root'),
      ...registryFlags(fields),
      timeout: fields.text('timeout'),
    },
    readSecret: secretsOf(fields.take('secrets') ?? {}),
  };
  fields.done();
  return { ...words, positional: [notStandard(context, 'context')] };
}

function registryFlags(fields: Fields) {
  return {
    'insecure-registry': fields.list('insecureRegistries'),
    'registry-mirror': fields.list('registryMirrors'),
    'skip-default-registry-fallback': fields.flag('mirrorsOnly'),
  };
}

function imageFlags(fields: Fields) {
  return {
    target: fields.text('target'),
    platform: fields.list('platforms'),
    label: fields.pairs('labels'),
    annotation: fields.pairs('annotations'),
    tag: fields.list('tags'),
    output: fields.list('outputs', optionsOf),
    push: fields.flag('push'),
    load: fields.flag('load'),
    provenance: fields.read('provenance', switchOrOptions),
    sbom: fields.read('sbom', switchOrOptions),
    'cache-to': fields.list('cacheTo', optionsOf),
  };
}

function stepFlags(fields: Fields) {
  return {
    ...noCacheFlags(fields.take('noCache')),
    'build-arg': fields.pairs('buildArgs'),
    'build-context': fields.pairs('contexts'),
    'cache-from': fields.list('cacheFrom', optionsOf),
    pull: fields.flag('pull'),
    jobs: fields.read('jobs', amountOf),
    network: fields.text('network'),
    'add-host': fields.list('extraHosts'),
    ssh: fields.pairs('ssh', keysOf)?.map((text) => text.replace(/^([^=]*)=$/, '$1')),
    'shm-size': fields.read('shmSize', amountOf),
    ulimit: fields.pairs('ulimits', limitsOf),
    resource: fields.pairs('resources', amountOf),
    'cgroup-parent': fields.text('cgroupParent'),
    allow: fields.list('allow'),
    isolation: fields.text('isolation'),
  };
}

/** Standard input belongs to the caller. */
function notStandard(value: unknown, field: string): string {
  if (value === '-') throw mustBe('a path or a URL', value, field);
  return textOf(value, field);
}

function dockerfileOf(value: unknown): { readonly file?: string; readonly dockerfile?: DockerfileSpec } {
  if (value === undefined) return {};
  if (typeof value === 'string') return { file: notStandard(value, 'dockerfile') };
  const fields = new CallFields<'text'>(value, 'dockerfile');
  const text = textOf(fields.take('text'), 'dockerfile.text');
  fields.done();
  return { dockerfile: { kind: 'inline', text, name: 'Dockerfile' } };
}

function noCacheFlags(value: unknown) {
  if (value === undefined || typeof value === 'boolean') return { 'no-cache': value };
  return { 'no-cache-filter': listOf(value, 'noCache').map((stage, at) => textOf(stage, `noCache[${at}]`)) };
}

function switchOrOptions(value: unknown, field: string): string {
  return typeof value === 'boolean' ? String(value) : optionsOf(value, field);
}

/** Nothing stands for the user's own agent. */
function keysOf(value: unknown, field: string): string {
  if (value === true) return '';
  return typeof value === 'string'
    ? value
    : listOf(value, field)
        .map((path) => textOf(path, field))
        .join(',');
}

function limitsOf(value: unknown, field: string): string {
  if (typeof value === 'number') return String(value);
  const fields = new CallFields<'soft' | 'hard'>(value, field);
  const both = ['soft', 'hard'] as const;
  const text = both.map((name) => amountOf(fields.take(name), `${field}.${name}`)).join(':');
  fields.done();
  return text;
}

function secretsOf(value: unknown): AskedBuild['readSecret'] {
  const secrets = new Map<string, Buffer>();
  for (const [id, secret] of membersOf(value, 'secrets')) {
    if (typeof secret !== 'string' && !(secret instanceof Uint8Array))
      throw mustBe('a text or bytes', typeof secret, `secrets.${id}`);
    secrets.set(id, limitedSecret(id, Buffer.from(secret)));
  }
  return (id) => secrets.get(id);
}
