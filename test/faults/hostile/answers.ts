import { fromBytes } from '@tbuild/content';
import { TbuildError, visible } from '@tbuild/errors';
import { digestOf, MediaType, parseReference, type Descriptor } from '@tbuild/oci';
import { createRegistryClient, type Credential, type Repository } from '@tbuild/registry';
import type { Random } from '../../support/random.ts';
import { madeOnce } from '../made-once.ts';
import type { HostileKind } from './hostile-kind.ts';
import { jsonOf, mutateBytes, mutateJson, mutateText } from './mutate.ts';
import { ADDRESS_PIECES, HEADER_PIECES } from './pieces.ts';
import { startRawServer, type RawRequest } from './raw-server.ts';

export interface Answer {
  readonly status: number;
  /** In values and bodies, `{registry}`, `{tokens}` and `{other}` are the addresses of the servers, `{count}` of the part's answers. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** A byte for each character. */
  readonly body: string;
  /** Instead of the first line. */
  readonly start?: string;
}

/** What a client does, and what the servers answer to it. */
interface Exchange {
  readonly operation: keyof typeof OPERATIONS;
  readonly credential: keyof typeof CREDENTIALS;
  /** Where the layer is too, as its descriptor says. */
  readonly urls: readonly string[];
  /** The answers by the part of the protocol that asks, in order. The last is given again. */
  readonly answers: Readonly<Record<Part, readonly Answer[]>>;
}

/** Answers of registries, of their token servers, and of servers that they redirect to. */
export const ANSWERS: readonly HostileKind<Exchange>[] = [
  {
    name: 'answers of registries',
    inputs: 1000,
    make: exchangeOf,
    async read({ operation, credential, urls, answers }, { signal }) {
      const { registry, other, leaks, endless } = await prepareServers(credential, answers);
      const ended = AbortSignal.any([signal, endless]);
      await using client = createRegistryClient({
        credentials: async () => CREDENTIALS[credential],
        insecure: () => true,
        clock: { now: Date.now, sleep: async () => signal.throwIfAborted() },
      });
      const repository = client.openRepository(parseReference(`${registry}/app`));
      const act = operation === 'authenticate' ? () => client.authenticate(registry, ended) : OPERATIONS[operation];
      const error = await act(repository, ended, {
        ...LAYER,
        urls: urls.map((url) => url.replaceAll('{other}', other)),
      }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (leaks.length > 0) throw new Error(leaks[0]);
      if (error instanceof TbuildError) requireSense(error);
      if (error !== undefined) throw error;
    },
  },
];

interface Prepared {
  /** The hosts of two servers. */
  readonly registry: string;
  readonly other: string;
  /** What goes to a server that must not get it. */
  readonly leaks: readonly string[];
  /** Aborts when something is asked again and again. */
  readonly endless: AbortSignal;
}

/** Lets the servers give these answers. */
async function prepareServers(credential: Exchange['credential'], answers: Exchange['answers']): Promise<Prepared> {
  const [registry, tokens, other] = await servers(undefined);
  const given = new Map<Part, number>();
  const leaks: string[] = [];
  const end = new AbortController();
  const answer = (part: Part, isRefused = false): Answer => {
    const count = given.get(part) ?? 0;
    given.set(part, count + 1);
    if (count === MOST_REQUESTS) end.abort(new Error('It asks without end'));
    const own = answers[isRefused ? 'challenge' : part];
    const { headers, body, ...chosen } = own[Math.min(count, own.length - 1)]!;
    const places = { registry: registry.host, tokens: tokens.host, other: other.host, count };
    const filled = (text: string): string =>
      Object.entries(places).reduce((all, [name, value]) => all.replaceAll(`{${name}}`, String(value)), text);
    return { ...chosen, headers: headers.map(([name, value]) => [name, filled(value)]), body: filled(body) };
  };
  registry.answer = (request) =>
    answer(partOf(request), credential !== 'none' && !request.headers.has('authorization'));
  tokens.answer = ({ headers }) => {
    if (headers.get('authorization')?.startsWith('Bearer ')) leaks.push('A token goes to the server that gave it');
    return answer('token');
  };
  other.answer = ({ target, headers, body }) => {
    const isSecret = hasSecret([target, ...headers.values(), body].join('\n'));
    if (headers.has('authorization') || isSecret) leaks.push('Another server gets a credential');
    return answer('other');
  };
  return { registry: registry.host, other: other.host, leaks, endless: end.signal };
}

/** A list of tags has at most 1000 pages, of which each may be asked for five times. */
const MOST_REQUESTS = 5100;
const servers = madeOnce(() => Promise.all([startRawServer(), startRawServer(), startRawServer()]));

const SECRET = 's3cret/pass';
const TOKEN = 'a1b2c3.token';
const CREDENTIALS = {
  none: undefined,
  password: { kind: 'password', username: 'me', password: SECRET },
  identity: { kind: 'identity-token', token: SECRET },
} satisfies Record<string, Credential | undefined>;

function hasSecret(text: string): boolean {
  const basic = Buffer.from(`me:${SECRET}`).toString('base64');
  return [SECRET, encodeURIComponent(SECRET), basic, TOKEN].some((secret) => text.includes(secret));
}

/** An error that names a secret, or says what only the program understands, is none for users. */
function requireSense(error: TbuildError): void {
  const text = `${error.message}\n${error.hint}`;
  if (hasSecret(text.replaceAll(TOKEN, ''))) throw new Error(`An error names a secret: ${text}`);
  if (/\bNaN\b|\[object |UND_ERR_INVALID|Infinity/.test(text)) throw new Error(`An error makes no sense: ${text}`);
  if (/\p{Cc}/u.test(visible(error.message)))
    throw new Error(`An error can change the terminal: ${JSON.stringify(text)}`);
}

const BLOB = Buffer.from('the bytes of a layer');
const LAYER: Descriptor = { mediaType: MediaType.layer, digest: digestOf(BLOB), size: BLOB.length };
/** More than is sent as one piece of memory. */
const LARGE = Buffer.alloc(1024 * 1024 + 1);
const LARGE_LAYER: Descriptor = { mediaType: MediaType.layer, digest: digestOf(LARGE), size: LARGE.length };
const MANIFEST = {
  schemaVersion: 2,
  mediaType: MediaType.manifest,
  config: { mediaType: MediaType.config, digest: digestOf('{}'), size: 2 },
  layers: [LAYER],
};
const DOCUMENT = JSON.stringify(MANIFEST);

async function drain(source: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of source) continue;
}

const OPERATIONS = {
  resolve: (repository, signal) => repository.resolve('1', signal),
  'by digest': (repository, signal) => repository.resolve(digestOf(DOCUMENT), signal),
  'digest of': (repository, signal) => repository.digestOf('1', signal),
  read: async (repository, signal) => drain(await repository.read(LAYER, signal)),
  'read from URLs': async (repository, signal, layer) => drain(await repository.read(layer, signal)),
  has: (repository, signal) => repository.has(LAYER, signal),
  tags: (repository, signal) => repository.tags(signal),
  write: (repository, signal) => repository.write(fromBytes(BLOB), LAYER, signal),
  'write much': (repository, signal) => repository.write(fromBytes(LARGE), LARGE_LAYER, signal),
  'write unknown': (repository, signal) => repository.write(fromBytes(BLOB), undefined, signal),
  push: (repository, signal) =>
    repository.pushManifest({ bytes: Buffer.from(DOCUMENT), mediaType: MediaType.manifest }, '1', signal),
  untag: (repository, signal) => repository.untag('1', signal),
  mount: (repository, signal) => repository.mount(LAYER.digest, 'base', signal),
  authenticate: () => Promise.resolve(),
} satisfies Record<string, (repository: Repository, signal: AbortSignal, layer: Descriptor) => Promise<unknown>>;

/** What is asked. */
type Part = keyof typeof SOUND;

function partOf({ method, target }: RawRequest): Part {
  if (target === '/v2/') return 'ping';
  if (target.includes('/tags/')) return /last=/.test(target) ? 'moreTags' : 'tags';
  if (method === 'DELETE') return 'remove';
  if (target.includes('/uploads/') || target.includes('upload'))
    return method === 'POST' ? 'open' : method === 'GET' ? 'state' : method === 'PATCH' ? 'piece' : 'close';
  if (target.includes('/manifests/')) return method === 'PUT' ? 'put' : 'manifest';
  return 'blob';
}

const digestHeader = ['Docker-Content-Digest', digestOf(DOCUMENT)] as const;
const session = [
  ['Location', '/v2/app/blobs/uploads/1?state=a'],
  ['Range', '0-0'],
  ['OCI-Chunk-Min-Length', '1'],
] as const;
const errors = JSON.stringify({ errors: [{ code: 'DENIED', message: 'no', detail: { a: 1 } }] });
const escapes = JSON.stringify({ errors: [{ code: 'A\nB', message: '\u001b]0;x\u0007\u009b2J\u202e\nERROR: no' }] });

/** What a sound registry answers. */
const SOUND = {
  ping: { status: 200, headers: [['Docker-Distribution-Api-Version', 'registry/2.0']], body: '{}' },
  challenge: {
    status: 401,
    headers: [
      ['WWW-Authenticate', 'Bearer realm="http://{tokens}/token",service="registry",scope="repository:app:pull"'],
    ],
    body: errors,
  },
  token: {
    status: 200,
    headers: [['Content-Type', 'application/json']],
    body: JSON.stringify({ token: TOKEN, access_token: TOKEN, expires_in: 300, issued_at: '2024-01-02T03:04:05Z' }),
  },
  manifest: { status: 200, headers: [['Content-Type', MediaType.manifest], digestHeader], body: DOCUMENT },
  blob: { status: 200, headers: [['Content-Type', 'application/octet-stream']], body: BLOB.toString() },
  tags: {
    status: 200,
    headers: [['Link', '</v2/app/tags/list?n=2&last=b>; rel="next"']],
    body: JSON.stringify({ name: 'app', tags: ['a', 'b'] }),
  },
  moreTags: { status: 200, headers: [], body: JSON.stringify({ name: 'app', tags: ['c'] }) },
  open: { status: 202, headers: session, body: '' },
  state: { status: 204, headers: session, body: '' },
  piece: { status: 202, headers: session, body: '' },
  close: { status: 201, headers: [['Location', '/v2/app/blobs/a']], body: '' },
  put: { status: 201, headers: [['OCI-Subject', digestOf('')], digestHeader], body: '' },
  remove: { status: 202, headers: [], body: '' },
  other: { status: 200, headers: [], body: BLOB.toString() },
} satisfies Record<string, Answer>;

/** The parts that each operation asks, besides all that come before. */
const ASKED: Readonly<Record<keyof typeof OPERATIONS, readonly Part[]>> = {
  resolve: ['manifest'],
  'by digest': ['manifest'],
  'digest of': ['manifest'],
  read: ['blob'],
  'read from URLs': ['blob', 'other'],
  has: ['blob', 'manifest'],
  tags: ['tags', 'tags', 'moreTags'],
  write: ['open', 'close', 'state', 'blob'],
  'write much': ['open', 'close', 'state', 'piece', 'blob'],
  'write unknown': ['open', 'piece', 'close'],
  push: ['put', 'put', 'manifest'],
  untag: ['remove', 'manifest', 'open', 'close', 'put'],
  mount: ['open', 'remove'],
  authenticate: ['ping'],
};

const STATUSES = [
  200, 201, 202, 204, 206, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 408, 410, 412, 413, 416, 425, 429, 500,
  501, 502, 503, 504, 100, 103, 304, 299, 451, 999,
];
const HEADERS = [
  ['Location', 'http://{other}/a'],
  ['Location', 'http://{registry}/v2/app/blobs/uploads/2'],
  ['Location', '?again'],
  ['Location', '?{count}'],
  ['Link', '<http://{other}/v2/app/tags/list?last=c>; rel="next"'],
  ['Link', '</v2/app/tags/list?last=c>; rel=next, <x>; rel="last"'],
  ['Link', `${'<a>;'.repeat(3000)}, </v2/app/tags/list?last=c>; rel="next"`],
  ['WWW-Authenticate', 'Basic realm="x"'],
  ['WWW-Authenticate', 'Bearer realm="http://{tokens}/token",error="insufficient_scope",scope="repository:b:pull a"'],
  ['Retry-After', '120'],
  ['Retry-After', 'Wed, 21 Oct 2065 07:28:00 GMT'],
  ['Range', '0-19'],
  ['Range', '0-{count}'],
  ['Range', '0-{count}000000'],
  ['Range', 'bytes=0-5'],
  ['Content-Range', 'bytes 0-4/20'],
  ['Content-Length', '5'],
  ['Content-Type', 'text/html'],
  ['Content-Encoding', 'gzip'],
  ['Transfer-Encoding', 'chunked'],
  ['Connection', 'close'],
  ['Docker-Content-Digest', digestOf('')],
  ['OCI-Subject', digestOf('')],
  ['OCI-Chunk-Min-Length', '1e9'],
  ['OCI-Filters-Applied', 'artifactType'],
  ['Warning', '299 - "this registry moves"'],
  ['Set-Cookie', 'a=b'],
] as const;
const BODIES = [errors, escapes, '', '<html>log in</html>', 'null', '{"errors":[null,1,{"code":1,"message":["a"]}]}'];

function exchangeOf(random: Random): Exchange {
  const operation = random.pick(Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[]);
  const credential = random.pick(['none', 'none', 'password', 'identity'] as const);
  const entries = Object.entries(SOUND).map(([part, sound]) => [part, [sound]] as const);
  const answers = Object.fromEntries(entries) as unknown as Record<Part, readonly Answer[]>;
  if (operation === 'read from URLs') answers.blob = [{ ...SOUND.blob, status: 404 }];
  const before: readonly Part[] = credential === 'none' ? ['ping', 'other'] : ['ping', 'other', 'challenge', 'token'];
  for (let edits = 1 + random.int(3); edits > 0; edits--) {
    const part = random.pick(random.int(3) === 0 ? before : ASKED[operation]);
    const own = answers[part];
    const changed = mutateAnswer(random.pick(own), random);
    // Once, in turn with the sound one, or from now on.
    answers[part] = random.pick([[changed], [changed, ...own], [...own, changed]]);
  }
  const urls = [mutateText(['http://{other}/a'], ADDRESS_PIECES, random), 'http://{other}/b'];
  return { operation, credential, urls, answers };
}

function mutateAnswer(sound: Answer, random: Random): Answer {
  const { status, headers, body } = sound;
  const edit = random.pick([
    () => ({ ...sound, status: random.pick(STATUSES) }),
    () => ({ ...sound, status: random.pick(STATUSES), headers: [...headers, random.pick(HEADERS)] }),
    () => ({ ...sound, status: random.pick(STATUSES), body: random.pick(BODIES) }),
    () => ({ ...sound, headers: headers.map((header) => mutateHeader(header, random)) }),
    () => ({ ...sound, headers: headers.map((header) => mutateHeader(header, random)) }),
    () => ({ ...sound, headers: [...headers, mutateHeader(random.pick(HEADERS), random)] }),
    () => ({ ...sound, headers: headers.filter(() => random.int(2) === 0) }),
    () => ({ ...sound, body: mutateDocument(body, random) }),
    () => ({ ...sound, body: mutateDocument(body, random) }),
    () => ({ ...sound, start: mutateText([`HTTP/1.1 ${status} X`], HEADER_PIECES, random) }),
  ]);
  return edit();
}

function mutateHeader([name, value]: Answer['headers'][number], random: Random): Answer['headers'][number] {
  return [name, mutateText([value], random.int(2) === 0 ? HEADER_PIECES : ADDRESS_PIECES, random)];
}

function mutateDocument(body: string, random: Random): string {
  const document = random.int(4) === 0 ? undefined : parsed(body);
  return document === undefined
    ? mutateBytes(Buffer.from(body, 'latin1'), random).toString('latin1')
    : jsonOf(mutateJson(document, random));
}

/** Returns undefined for a document that was mutated so that nothing can read it. */
function parsed(text: string): unknown {
  try {
    return text.length > 10_000 ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
