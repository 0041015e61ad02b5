import { imagesOf, readLayer, type LayoutHistory, type LayoutImage } from '../support/layout.ts';
import { treeOfLayers, type TreeEntry } from '../support/tree.ts';

/** The compared part of an image: all but times and the layers' bytes, relative to its base image. */
export interface ImageRecord {
  readonly config: Readonly<Record<string, unknown>>;
  readonly author?: string;
  /** One line an entry; those that made a layer begin with `+ `, the others with `  `. */
  readonly history: readonly string[];
  /** Path → type, mode, owner, size and content, link; only what differs from the base. */
  readonly tree: Readonly<Record<string, string>>;
  readonly removed?: readonly string[];
}

export interface RecordOptions {
  /** Layouts of the possible base images. */
  readonly bases: readonly string[];
  /** Files whose size and content are left out. */
  readonly anyContent: readonly string[];
}

/** Describes `image` without the parts that come from its base image. */
export function recordImage(image: LayoutImage, { bases, anyContent }: RecordOptions): ImageRecord {
  const base = bases.flatMap(imagesOf).find((candidate) => standsOn(image, candidate));
  const own = treeOf(image, anyContent);
  const below = base === undefined ? new Map<string, string>() : treeOf(base);
  const changed = [...own].filter(([path, line]) => below.get(path) !== line);
  const removed = [...below.keys()].filter((path) => !own.has(path));
  return {
    config: withoutEmpty(image.config.config ?? {}),
    ...(image.config.author && { author: image.config.author }),
    history: (image.config.history ?? []).slice(base?.config.history?.length ?? 0).map(historyLine),
    tree: Object.fromEntries(changed),
    ...(removed.length > 0 && { removed }),
  };
}

function standsOn(image: LayoutImage, base: LayoutImage): boolean {
  const layers = image.config.rootfs.diff_ids;
  return base.config.rootfs.diff_ids.every((diffId, index) => layers[index] === diffId);
}

function treeOf({ layout, manifest }: LayoutImage, anyContent: readonly string[] = []): Map<string, string> {
  const { entries } = treeOfLayers(manifest.layers.map((layer) => readLayer(layout, layer)));
  return new Map(
    [...entries].map(([path, entry]) => [
      path,
      lineOf(anyContent.includes(path) ? { ...entry, sha256: undefined } : entry),
    ]),
  );
}

function lineOf({ type, mode, uid, gid, ...rest }: TreeEntry): string {
  const content = rest.sha256 === undefined ? [] : [`${rest.size}`, rest.sha256.slice(0, 16)];
  const target = rest.target === undefined ? [] : [`-> ${rest.target}`];
  const link = rest.linkTo === undefined ? [] : [`= ${rest.linkTo}`];
  const capability = rest.capability === undefined ? [] : [`capability ${rest.capability}`];
  return [type, mode, `${uid}:${gid}`, rest.device ?? [], content, target, link, capability].flat().join(' ');
}

function historyLine({ created_by: createdBy = '', empty_layer: empty }: LayoutHistory): string {
  return `${empty === true ? ' ' : '+'} ${inPresentWording(createdBy)}`;
}

/** Converts history entries of Docker 26 (BuildKit 0.13) to the wording of BuildKit 0.32, which the goldens hold. */
function inPresentWording(createdBy: string): string {
  // The value was the one in the Dockerfile, and is the effective one now; which arguments there are is compared.
  const args = /^ARG (.*)$/s.exec(createdBy);
  if (args)
    return `ARG ${args[1]!
      .split(' ')
      .map((word) => word.replace(/=.*/s, ''))
      .join(' ')}`;
  const ports = /^EXPOSE map\[(.*)\]$/.exec(createdBy);
  if (ports)
    return `EXPOSE [${ports[1]!
      .split(' ')
      .map((port) => port.replace(/:\{\}$/, ''))
      .join(' ')}]`;
  const check = /^HEALTHCHECK &\{\[(.*)\] "(.*)" "(.*)" "(.*)" "(.*)" '(.*)'\}$/s.exec(createdBy);
  if (check === null) return createdBy;
  const [, test, interval, timeout, startPeriod, startInterval, retries] = check;
  const words = [...test!.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, word]) => word!.replace(/\\(.)/gs, '$1'));
  const times = `Interval:${interval} Timeout:${timeout} StartPeriod:${startPeriod} StartInterval:${startInterval}`;
  return `HEALTHCHECK {Test:[${words.join(' ')}] ${times} Retries:${numberOfRune(retries!)}}`;
}

/** BuildKit 0.13 printed the number of retries as a quoted character. */
function numberOfRune(quoted: string): number {
  if (quoted.startsWith('\\x')) return Number.parseInt(quoted.slice(2), 16);
  return quoted.startsWith('\\') ? 7 + 'abtnvfr'.indexOf(quoted[1]!) : quoted.codePointAt(0)!;
}

function withoutEmpty(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = Object.entries(value).filter(([, field]) => !isEmpty(field));
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isEmpty(field: unknown): boolean {
  if (field === null || field === undefined || field === '' || field === false) return true;
  return typeof field === 'object' && Object.keys(field).length === 0;
}
