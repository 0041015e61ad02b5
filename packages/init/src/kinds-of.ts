import type { Project } from './project.ts';

export const KINDS = ['node', 'python', 'go', 'rust', 'java', 'php', 'c', 'static'] as const;

/** A kind of project. */
export type Kind = (typeof KINDS)[number];

const SIGNS: Readonly<Record<Kind, (project: Project) => boolean>> = {
  node: ({ has }) => has('package.json'),
  python: ({ has, files }) =>
    has('requirements.txt') || has('pyproject.toml') || files.some((name) => name.endsWith('.py')),
  go: ({ has }) => has('go.mod'),
  rust: ({ has }) => has('Cargo.toml'),
  java: ({ has }) => has('pom.xml') || has('build.gradle') || has('build.gradle.kts'),
  php: ({ has, files }) => has('composer.json') || files.some((name) => name.endsWith('.php')),
  c: ({ files, read, list }) =>
    read('CMakeLists.txt').includes('add_executable') || [...files, ...list('src')].some((name) => name.endsWith('.c')),
  static: ({ has, list }) => has('index.html') || list('public').includes('index.html'),
};

/** Returns the kinds that a project may be of, in the order of {@link KINDS}. A page beside a program is part of it. */
export function kindsOf(project: Project): readonly Kind[] {
  const kinds = KINDS.filter((kind) => SIGNS[kind](project));
  return kinds.length > 1 ? kinds.filter((kind) => kind !== 'static') : kinds;
}
