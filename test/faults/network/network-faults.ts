import { type Fault, type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import type { Random } from '../../support/random.ts';

/**
 * `once`: one request, at some time, fails in a way that a client survives.
 * `often`: about every fourth request fails in any way.
 */
export type FaultMode = 'once' | 'often';

export interface FaultyProxy extends AsyncDisposable {
  readonly host: string;
  /** How many requests failed. */
  breaks(): number;
  /** Passes everything from here on. */
  heal(): void;
}

export interface FaultyOptions {
  readonly mode: FaultMode;
  readonly address: '127.0.0.1' | '::1';
  readonly random: Random;
}

/** Variables with which a build soon gives up on a server that is silent or slow. */
export const impatient = { TBUILD_SERVER_TIMEOUT: '4s', TBUILD_MIN_DOWNLOAD_RATE: '1k/500ms' };

/** Starts a proxy in front of a registry that fails some requests. */
export async function startFaultyProxy(
  registry: string,
  { mode, address, random }: FaultyOptions,
): Promise<FaultyProxy> {
  const proxy = await startFaultProxy(registry, 0, address);
  const next = mode === 'once' ? oneFault(random) : manyFaults(random);
  let breaks = 0;
  proxy.decide = (...request) => {
    const fault = next(...request);
    if (fault !== undefined) breaks++;
    return fault;
  };
  return {
    host: proxy.host,
    breaks: () => breaks,
    heal: () => void (proxy.decide = () => undefined),
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}

/** Fails one of the first requests that the fault suits. A range is asked for only after a download that broke. */
function oneFault(random: Random): FaultProxy['decide'] {
  const { suits = () => true, fault, thenRange } = random.pick(survivable(random));
  let left = random.int(25);
  let isOver = false;
  return (line, count, { range }) => {
    left--;
    if (isOver && thenRange !== undefined && range !== undefined) {
      const other = thenRange;
      isOver = count > 2;
      return isOver ? undefined : other;
    }
    if (isOver || left > 0 || !suits(line)) return undefined;
    isOver = true;
    return fault;
  };
}

interface OneFault {
  readonly fault: Fault;
  suits?(line: string): boolean;
  /** The fault of the request that resumes a download. */
  readonly thenRange?: Fault;
}

function survivable(random: Random): readonly OneFault[] {
  const at = random.int(3000);
  return [
    { fault: { kind: 'answer', status: random.pick([429, 503]), headers: { 'retry-after': String(random.int(2)) } } },
    { fault: { kind: 'answer', status: random.pick([408, 500, 502, 504]) } },
    { fault: { kind: 'delay', milliseconds: random.int(1500) } },
    { fault: { kind: 'cut-headers' } },
    { fault: { kind: 'cut-answer', after: at }, suits: isRead },
    { fault: { kind: 'cut-request', after: at } },
    { fault: { kind: 'lose-answer' } },
    { fault: { kind: 'lose-request' } },
    { fault: { kind: 'reset' } },
    { fault: { kind: 'stall', after: at }, suits: isRead },
    { fault: { kind: 'slow', bytesPerSecond: 200 }, suits: isRead },
    { fault: { kind: 'half' }, suits: isBlob },
    {
      fault: { kind: 'cut-answer', after: at },
      suits: isBlob,
      thenRange: { kind: 'other-range', by: random.pick([-100, 100]) },
    },
    { fault: { kind: 'cut-answer', after: at }, suits: isBlob, thenRange: { kind: 'half' } },
  ];
}

const isRead = (line: string): boolean => /^GET .*\/(?:blobs|manifests)\//.test(line);
const isBlob = (line: string): boolean => /^GET .*\/blobs\//.test(line);

function manyFaults(random: Random): FaultProxy['decide'] {
  return (line) => {
    const at = random.int(2000);
    const fault = random.pick<Fault>([
      ...survivable(random).map((one) => one.fault),
      { kind: 'answer', status: 401 },
      { kind: 'answer', status: 200, body: '<html>' },
      { kind: 'answer', status: 307, headers: { location: line.split(' ')[1] ?? '' } },
      { kind: 'corrupt', at },
      { kind: 'hang' },
      { kind: 'other-range', by: 100 },
      { kind: 'headers', headers: { 'content-length': String(at) } },
      { kind: 'headers', headers: { 'content-range': 'bytes 5-9/10', 'docker-content-digest': 'sha256:0' } },
    ]);
    return random.int(4) > 0 ? undefined : fault;
  };
}
