import { createHash } from 'node:crypto';
import type { Provider } from '@tbuild/content';
import { openLayer, readArchive } from '@tbuild/diff';
import { type Descriptor, formatPlatform, type ImageConfig, type Manifest } from '@tbuild/oci';
import { advise } from './advise.ts';
import type { FileFacts, FileTree, ImageFacts } from './report-data.ts';

/** How many of the largest, wasted and repeated files are listed. */
const LISTED = 100;

/** Files below this size are not compared with others, in bytes. */
const COMPARED = 4096;

/** An image whose documents are read. */
export interface ReadDocuments {
  readonly descriptor: Pick<Descriptor, 'digest'>;
  readonly manifest: Pick<Manifest, 'layers'>;
  readonly config: Pick<ImageConfig, 'platform' | 'history'>;
}

/**
 * Reads all layers of an image, and finds what takes space in them.
 * @throws TbuildError NOT_FOUND for a missing layer, SNAPSHOT for a damaged one.
 */
export async function surveyImage(
  { descriptor, manifest, config }: ReadDocuments,
  name: string,
  { content, signal }: { readonly content: Provider; readonly signal: AbortSignal },
): Promise<ImageFacts> {
  const commands = config.history.filter((entry) => entry.empty_layer !== true);
  const survey = newSurvey();
  for (const layer of manifest.layers) await survey.add(layer, content, signal);
  const files = survey.files();
  return {
    name,
    platform: formatPlatform(config.platform),
    digest: descriptor.digest,
    layers: manifest.layers.map(({ digest, size }, at) => ({
      digest,
      compressed: size,
      createdBy: commands[at]?.created_by ?? '',
      tree: treeOf(survey.layers[at] ?? new Map()),
    })),
    largest: byBytes(files),
    wasted: byBytes(files.filter(({ isWasted }) => isWasted)),
    duplicates: duplicatesIn(files),
    advice: advise(files),
  };
}

/** A regular file in a layer. */
export interface SurveyedFile extends FileFacts {
  readonly content: string;
  /** Whether an upper layer deletes or replaces it. */
  isWasted: boolean;
}

type Layer = Map<string, SurveyedFile>;

interface Survey {
  readonly layers: readonly Layer[];
  add(layer: Descriptor, from: Provider, signal: AbortSignal): Promise<void>;
  files(): readonly SurveyedFile[];
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

function newSurvey(): Survey {
  const layers: Layer[] = [];
  /** The files that the layers so far show. */
  const shown = new Map<string, SurveyedFile>();
  const hide = (path: string): void => {
    const file = shown.get(path);
    if (file !== undefined) file.isWasted = true;
    shown.delete(path);
  };
  return {
    layers,
    files: () => layers.flatMap((layer) => [...layer.values()]),
    async add(descriptor, from, signal) {
      const { own, hidden, opaque } = await readLayer(descriptor, layers.length, { from, signal });
      for (const path of [...hidden, ...own.keys()]) hide(path);
      if (hidden.length + opaque.length > 0) {
        const gone = new Set([...hidden, ...opaque]);
        for (const path of shown.keys()) if (isBelow(path, gone)) hide(path);
      }
      for (const [path, file] of own) shown.set(path, file);
      layers.push(own);
    },
  };
}

function isBelow(path: string, directories: ReadonlySet<string>): boolean {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
    if (directories.has(path.slice(0, end))) return true;
  return directories.has('');
}

/** The files of a layer, the paths that it deletes, and the directories whose content below it hides. */
interface LayerContent {
  readonly own: Layer;
  readonly hidden: readonly string[];
  readonly opaque: readonly string[];
}

async function readLayer(
  descriptor: Descriptor,
  layer: number,
  { from, signal }: { readonly from: Provider; readonly signal: AbortSignal },
): Promise<LayerContent> {
  const own: Layer = new Map();
  const [hidden, opaque]: [string[], string[]] = [[], []];
  await readArchive(
    await openLayer(descriptor, from, signal),
    ({ name, type, size }) => {
      const path = `/${name
        .split('/')
        .filter((part) => part !== '' && part !== '.')
        .join('/')}`;
      const [directory, last] = [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)];
      if (last === OPAQUE) opaque.push(directory);
      else if (last.startsWith(WHITEOUT)) hidden.push(`${directory}/${last.slice(WHITEOUT.length)}`);
      if (type !== 'file' || last.startsWith(WHITEOUT)) return undefined;
      const add = (content: string): void => void own.set(path, { path, layer, bytes: size, content, isWasted: false });
      if (size < COMPARED) return void add('');
      const hash = createHash('sha256');
      return { write: (bytes) => void hash.update(bytes), end: () => add(hash.digest('base64')), abort() {} };
    },
    { signal },
  );
  return { own, hidden, opaque };
}

interface Directory {
  readonly entries: Map<string, Directory | SurveyedFile>;
}

function treeOf(files: Layer): FileTree {
  const root: Directory = { entries: new Map() };
  for (const [path, file] of files) {
    const parts = path.slice(1).split('/');
    const name = parts.pop() ?? '';
    let directory = root;
    for (const part of parts) {
      const known = directory.entries.get(part);
      const next = known !== undefined && 'entries' in known ? known : { entries: new Map() };
      if (next !== known) directory.entries.set(part, next);
      directory = next;
    }
    directory.entries.set(name, file);
  }
  return collapse('/', root);
}

/** Sums up a directory. The depth of a path is limited where archives are read. */
function collapse(name: string, entry: Directory | SurveyedFile): FileTree {
  if (!('entries' in entry)) return [name, entry.bytes, entry.isWasted ? entry.bytes : 0];
  const children = [...entry.entries].map(([child, below]) => collapse(child, below)).sort((a, b) => b[1] - a[1]);
  const sum = (at: 1 | 2): number => children.reduce((total, child) => total + child[at], 0);
  return [name, sum(1), sum(2), children];
}

function byBytes(files: readonly SurveyedFile[]): readonly FileFacts[] {
  const listed = files.toSorted((a, b) => b.bytes - a.bytes).slice(0, LISTED);
  return listed.filter(({ bytes }) => bytes > 0).map(({ path, layer, bytes }) => ({ path, layer, bytes }));
}

function duplicatesIn(files: readonly SurveyedFile[]): ImageFacts['duplicates'] {
  const byContent = new Map<string, SurveyedFile[]>();
  for (const file of files) {
    if (file.content === '') continue;
    const same = byContent.get(file.content);
    if (same === undefined) byContent.set(file.content, [file]);
    else same.push(file);
  }
  const groups = [...byContent.values()].filter((same) => same.length > 1);
  return groups
    .map((same) => ({ paths: same.map(({ path }) => path), bytes: (same.length - 1) * (same[0]?.bytes ?? 0) }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, LISTED);
}
