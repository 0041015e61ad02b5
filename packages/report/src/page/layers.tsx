import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { formatBytes } from '../format.ts';
import type { FileFacts, FileTree, ImageFacts } from '../report-data.ts';
import { Rows } from './details.tsx';
import { type Tile, tilesOf } from './treemap-layout.ts';

/** Shows what takes space in images: layers, directories, files. */
export function LayersView({ images }: { readonly images: readonly ImageFacts[] }): JSX.Element {
  const [chosen, choose] = useState(0);
  const image = images[chosen];
  return (
    <section>
      {images.length > 1 && (
        <p class="bar">
          <label>
            Image{' '}
            <select value={chosen} onChange={(event) => choose(Number(event.currentTarget.value))}>
              {images.map(({ name, platform, digest }, at) => (
                <option key={digest} value={at}>
                  {name} {platform}
                </option>
              ))}
            </select>
          </label>
        </p>
      )}
      {image !== undefined && <Image key={image.digest} image={image} />}
    </section>
  );
}

function Image({ image }: { readonly image: ImageFacts }): JSX.Element {
  const root = useMemo(() => treeOfImage(image), [image]);
  const { advice, largest, wasted, duplicates, layers } = image;
  const layerName = (at: number): string => shortCommand(layers[at]?.createdBy ?? '', at);
  const rowsOf = (files: readonly FileFacts[]) =>
    files.map(({ path, bytes, layer }) => [path, formatBytes(bytes), layerName(layer)]);
  return (
    <>
      {advice.length > 0 && (
        <ul class="advice" aria-label="Advice">
          {advice.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
      <Treemap root={root} />
      <Rows
        title="Layers, the lowest first"
        columns={['Layer', 'Files', 'Replaced or deleted later', 'Stored', 'Digest']}
        rows={layers.map(({ tree: [, bytes, waste], compressed, digest }, at) => [
          layerName(at),
          formatBytes(bytes),
          formatBytes(waste),
          formatBytes(compressed),
          digest.replace(/^\w+:/, '').slice(0, 12),
        ])}
      />
      <Rows title="Largest files" columns={['File', 'Size', 'Layer']} rows={rowsOf(largest)} />
      {wasted.length > 0 && (
        <Rows title="Deleted or replaced by a later layer" columns={['File', 'Size', 'Layer']} rows={rowsOf(wasted)} />
      )}
      {duplicates.length > 0 && (
        <Rows
          title="The same content more than once"
          columns={['Files', 'Bytes to save']}
          rows={duplicates.map(({ paths, bytes }) => [listed(paths), formatBytes(bytes)])}
        />
      )}
    </>
  );
}

/** Paths that a row names. */
const NAMED = 4;

function listed(paths: readonly string[]): string {
  const more = paths.length - NAMED;
  return paths.slice(0, NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function treeOfImage({ name, layers }: ImageFacts): FileTree {
  const children = layers.map(({ createdBy, tree: [, bytes, wasted, below] }, at): FileTree => [
    shortCommand(createdBy, at),
    bytes,
    wasted,
    below,
  ]);
  const sorted = children.sort((a, b) => b[1] - a[1]);
  const sum = (at: 1 | 2): number => sorted.reduce((total, child) => total + child[at], 0);
  return [name, sum(1), sum(2), sorted];
}

function shortCommand(createdBy: string, at: number): string {
  const command = createdBy
    .replace(/^(?:RUN )?\/bin\/sh -c (?!#)/, 'RUN ')
    .replace(/^\/bin\/sh -c #\(nop\) +/, '')
    .replace(/ # buildkit$/, '');
  return `${at + 1}: ${command === '' ? 'unknown' : command}`;
}

function Treemap({ root }: { readonly root: FileTree }): JSX.Element {
  const [trail, setTrail] = useState<readonly FileTree[]>([root]);
  const current = trail.at(-1) ?? root;
  return (
    <div class="treemap">
      <nav aria-label="Directory">
        {trail.map((node, at) => (
          <button key={at} disabled={at === trail.length - 1} onClick={() => setTrail(trail.slice(0, at + 1))}>
            {node[0]}
          </button>
        ))}
        <span>{formatBytes(current[1])}</span>
      </nav>
      <Tiles node={current} depth={0} scale={WHOLE} enter={(...nodes) => setTrail([...trail, ...nodes])} />
    </div>
  );
}

interface TilesProps {
  readonly node: FileTree;
  /** In how many tiles these tiles are. */
  readonly depth: number;
  /** The sides of what holds the tiles, in percent of the whole. */
  readonly scale: Pick<Tile, 'width' | 'height'>;
  /** Shows a directory, by the directories that lead to it. */
  enter(...nodes: FileTree[]): void;
}

const WHOLE = { width: 100, height: 100 };

/** Percent of the side of the whole. A smaller tile does not show what is in it. */
const ROOMY = 12;

/** How deep tiles show what is in them, and how many they show inside a tile. */
const DEEPEST = 4;
const INNER = 100;

function Tiles({ node, depth, scale, enter }: TilesProps): JSX.Element {
  const tiles = useMemo(() => tilesOf(node, depth === 0 ? undefined : INNER), [node, depth]);
  return (
    <div class={depth > 0 ? 'tiles inner' : 'tiles'}>
      {tiles.map(({ node: below, left, top, width, height }, at) => {
        const [name, bytes, wasted, children] = below;
        const own = { width: (width * scale.width) / 100, height: (height * scale.height) / 100 };
        const isRoomy = depth < DEEPEST && children !== undefined && own.width > ROOMY && own.height > ROOMY;
        return (
          <div
            key={at}
            class={`tile ${children === undefined ? 'file' : ''} ${isRoomy ? 'roomy' : ''} ${wasted * 2 > bytes ? 'wasted' : ''}`}
            style={{ left: `${left}%`, top: `${top}%`, width: `${width}%`, height: `${height}%` }}
          >
            <button
              title={labelOf(below)}
              aria-disabled={children === undefined}
              onClick={() => children && enter(below)}
            >
              {name} <small>{formatBytes(bytes)}</small>
            </button>
            {isRoomy && (
              <Tiles node={below} depth={depth + 1} scale={own} enter={(...nodes) => enter(below, ...nodes)} />
            )}
          </div>
        );
      })}
    </div>
  );
}

function labelOf([name, bytes, wasted]: FileTree): string {
  const waste = wasted > 0 ? `, ${formatBytes(wasted)} of it replaced or deleted later` : '';
  return `${name}: ${formatBytes(bytes)}${waste}`;
}
