import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** A block of code of a page in `docs/`. */
export interface Snippet {
  readonly page: string;
  /** The section that it is in. */
  readonly heading: string;
  readonly text: string;
}

/** A job of GitLab that a page shows. */
export interface PageJob extends Omit<Snippet, 'text'> {
  readonly name: string;
  readonly script: readonly string[];
  /** The variables of each run: one without any, unless there is a matrix. */
  readonly runs: readonly Readonly<Record<string, string>>[];
  /** The jobs that run before. */
  readonly needs: readonly string[];
}

/** Returns the blocks of a language on a page. */
export function snippetsOf(page: string, language: 'sh' | 'yaml'): readonly Snippet[] {
  const sections = readFileSync(join(import.meta.dirname, '../../docs', page), 'utf8').split(/^#+ (?=.*\n\n)/m);
  return sections.flatMap((section) =>
    [...section.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(([, text = '']) => ({
      page,
      heading: section.slice(0, section.indexOf('\n')),
      text,
    })),
  );
}

/** Returns the jobs on a page that run tbuild. */
export function jobsOf(page: string): readonly PageJob[] {
  const own = snippetsOf(page, 'yaml').filter(({ text }) => !text.startsWith('# Before'));
  return own.flatMap(({ heading, text }) => {
    const jobs: Readonly<Record<string, YamlJob>> = parse(text);
    return Object.entries(jobs).flatMap(([name, job]) =>
      Array.isArray(job.script)
        ? { page, heading, name, script: job.script, runs: matrixOf(job), needs: job.needs ?? [] }
        : [],
    );
  });
}

interface YamlJob {
  readonly script?: readonly string[];
  readonly needs?: readonly string[];
  readonly parallel?: { readonly matrix: readonly Readonly<Record<string, readonly string[]>>[] };
}

/** Returns the runs of a matrix with one variable. */
function matrixOf({ parallel }: YamlJob): PageJob['runs'] {
  const rows = parallel?.matrix.flatMap((row) => Object.entries(row)) ?? [];
  if (rows.length === 0) return [{}];
  return rows.flatMap(([name, values]) => values.map((value) => ({ [name]: value })));
}
