import { formatBytes } from './format.ts';
import type { FileFacts } from './report-data.ts';

/** Less than this is not worth a change, in bytes. */
const WORTHWHILE = 1_000_000;

interface Rule {
  /** The directory that an image does not need. */
  readonly directory: RegExp;
  readonly advice: string;
}

const CACHE_MOUNT = (target: string): string => `use RUN --mount=type=cache,target=${target}`;

const RULES: readonly Rule[] = [
  { directory: /^.*?\/node_modules\/\.cache(?=\/)/, advice: 'add it to .dockerignore, or use a cache mount' },
  { directory: /^.*?\/\.git(?=\/)/, advice: 'add .git to .dockerignore' },
  { directory: /^\/var\/lib\/apt\/lists(?=\/)/, advice: 'remove it in the RUN that makes it, or use a cache mount' },
  { directory: /^\/var\/cache\/apt(?=\/)/, advice: CACHE_MOUNT('/var/cache/apt') },
  { directory: /^\/var\/cache\/(?:apk|dnf|yum|pacman)(?=\/)/, advice: 'use a cache mount for the package manager' },
  { directory: /^.*?\/\.npm\/_cacache(?=\/)/, advice: CACHE_MOUNT('/root/.npm') },
  { directory: /^.*?\/\.cache\/(?:pip|yarn|go-build|uv|ms-playwright)(?=\/)/, advice: CACHE_MOUNT('/root/.cache') },
  { directory: /^.*?\/\.cargo\/registry(?=\/)/, advice: 'use a cache mount for the registry of cargo' },
  { directory: /^.*?\/\.m2\/repository(?=\/)/, advice: CACHE_MOUNT('/root/.m2') },
  { directory: /^.*?\/\.gradle\/caches(?=\/)/, advice: CACHE_MOUNT('/root/.gradle') },
  { directory: /^.*?\/__pycache__(?=\/)/, advice: 'set PYTHONDONTWRITEBYTECODE=1 where nothing is gained by it' },
  {
    directory: /^\/usr\/share\/(?:doc|man|locale)(?=\/)/,
    advice: 'leave documentation out in the RUN that installs it',
  },
];

/** Returns what would make the image smaller, the most first. */
export function advise(files: readonly (FileFacts & { readonly isWasted: boolean })[]): readonly string[] {
  const found = new Map<string, { readonly advice: string; bytes: number }>();
  const count = (name: string, advice: string, bytes: number): void => {
    const known = found.get(name);
    if (known === undefined) found.set(name, { advice, bytes });
    else known.bytes += bytes;
  };
  for (const { path, bytes, isWasted } of files) {
    if (isWasted) {
      count('Files that a later layer deletes or replaces', 'delete them in the step that makes them', bytes);
      continue;
    }
    for (const { directory, advice } of RULES) {
      const [match] = directory.exec(path) ?? [];
      if (match === undefined) continue;
      count(match, advice, bytes);
      break;
    }
  }
  return [...found]
    .filter(([, { bytes }]) => bytes >= WORTHWHILE)
    .sort(([, a], [, b]) => b.bytes - a.bytes)
    .map(([name, { advice, bytes }]) => `${name}: ${formatBytes(bytes)}; ${advice}`);
}
