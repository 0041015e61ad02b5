import { createHash } from 'node:crypto';

/** What each path of a directory has been: absent, a file with some content, or of another type. */
export class KnownStates {
  readonly #states = new Map<string, Set<string>>();
  /** The files of the present. */
  readonly #contents = new Map<string, Buffer>();

  constructor(files: Readonly<Record<string, string>>) {
    for (const [path, content] of Object.entries(files)) {
      this.#contents.set(path, Buffer.from(content));
      this.#states.set(path, new Set([fileState(content)]));
      for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1))
        this.#states.set(path.slice(0, slash), new Set(['directory']));
    }
  }

  /** Call it before the path becomes a file with the content. */
  add(path: string, content: string | Buffer): void {
    this.addType(path, fileState(content));
    this.#contents.set(path, Buffer.from(content));
  }

  /** Call it before the path becomes something else. */
  addType(path: string, type: string): void {
    this.#contents.delete(path);
    this.#states.set(path, (this.#states.get(path) ?? new Set(['absent'])).add(type));
  }

  /** Call it before the path goes, with everything below it. */
  addAbsent(path: string): void {
    for (const each of this.#states.keys())
      if (each === path || each.startsWith(`${path}/`)) this.addType(each, 'absent');
  }

  /** Returns the content of a path that is a file now. */
  contentOf(path: string): Buffer | undefined {
    return this.#contents.get(path);
  }

  paths(): readonly string[] {
    return [...this.#states.keys()];
  }

  has(path: string, state: string): boolean {
    return this.#states.get(path)?.has(state) ?? state === 'absent';
  }
}

export function fileState(content: string | Buffer): string {
  return `file ${createHash('sha256').update(content).digest('hex')}`;
}
