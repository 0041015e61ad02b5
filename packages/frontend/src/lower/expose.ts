import type { ListInstruction } from '@tbuild/dockerfile';
import type { SourceRange } from '@tbuild/errors';
import { formatList } from '../go-format.ts';
import { withAdded, withHistory } from '../stages/stage-state.ts';
import { expandListIn, semanticError, type Lowering, type LoweringContext } from './lowering.ts';
import { emptyObjects } from './metadata.ts';

/** EXPOSE: the ports are sorted as written and then expanded, since a variable may hold several ports. */
export const lowerExpose: Lowering<ListInstruction> = (state, { words }, context) => {
  const sorted = words.toSorted((a, b) => (a.text < b.text ? -1 : Number(a.text > b.text)));
  const ports = sorted.flatMap((word) =>
    expandListIn(state, word, context).flatMap((port) => {
      warnOfForm(port, word.location, context);
      return parsePorts(port, word.location);
    }),
  );
  const next = withAdded(state, 'ports', emptyObjects(ports));
  return withHistory(next, `EXPOSE ${formatList(ports)}`);
};

function warnOfForm(port: string, place: SourceRange, context: LoweringContext): void {
  const protocol = /[^:/]*\/([^:]*)$/.exec(port)?.[1] ?? '';
  if (protocol !== protocol.toLowerCase()) {
    const message = `Defined protocol '${port}' in EXPOSE instruction should be lowercase`;
    context.warn('ExposeProtoCasing', message, place);
  }
  if (/[^:]:[^:]*$/.test(port)) {
    const message = `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`;
    context.warn('ExposeInvalidFormat', message, place);
  }
}

/** Parses `[ip:][host:]port[-range][/protocol]` into a list of `port/protocol`. */
function parsePorts(text: string, location: SourceRange): string[] {
  const parts = text.split(':');
  const container = parts.pop() ?? '';
  const host = parts.pop() ?? '';
  const ip = parts.join(':').replace(/^\[(.*)\]$/, '$1');
  const slash = container.indexOf('/');
  const range = slash < 0 ? container : container.slice(0, slash);
  const protocol = slash < 0 ? '' : container.slice(slash + 1).toLowerCase();
  const wrong = (reason: string) =>
    semanticError(`Port ${JSON.stringify(text)} is not valid: ${reason}`, location, HINT);
  if (!PROTOCOLS.has(protocol)) throw wrong(`invalid proto: ${protocol}, expected tcp, udp or sctp`);
  if (ip !== '' && !isAddress(ip)) throw wrong(`${JSON.stringify(ip)} is not an IP address`);
  const ports = parseRange(range);
  if (ports === undefined) throw wrong(`invalid containerPort: ${range}, expected a port or a range of ports`);
  const hostPorts = host === '' ? ports : parseRange(host);
  if (hostPorts === undefined) throw wrong(`invalid hostPort: ${host}, expected a port or a range of ports`);
  if (ports.end !== ports.start && ports.end - ports.start !== hostPorts.end - hostPorts.start) {
    throw wrong('the ranges have different lengths');
  }
  const count = ports.end - ports.start + 1;
  return Array.from({ length: count }, (_, offset) => `${ports.start + offset}/${protocol === '' ? 'tcp' : protocol}`);
}

const HINT = 'Write for example 80, 53/udp or 8000-8010';
const PROTOCOLS = new Set(['', 'tcp', 'udp', 'sctp']);

/** Avoids `node:net`, which takes milliseconds to load. */
function isAddress(text: string): boolean {
  if (text.includes(':')) return URL.canParse(`http://[${text}]`);
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text) && text.split('.').every((part) => Number(part) <= 255);
}

function parseRange(text: string): { start: number; end: number } | undefined {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const start = Number(match[1]);
  const end = Number(match[2] ?? match[1]);
  return end < start || end > 65_535 ? undefined : { start, end };
}
