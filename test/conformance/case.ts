import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BaseImageName } from '../support/base-images.ts';
import { scratchDirectory } from '../support/scratch.ts';

/** One context that is built by Docker and by tbuild alike. */
export interface ConformanceCase {
  /** `theme/name`. */
  readonly name: string;
  /** The context, as it is in git. */
  readonly directory: string;
  readonly golden: string;
  readonly args: readonly string[];
  readonly images: readonly BaseImageName[];
  /** Files whose content depends on the version of a Debian package and is not compared. */
  readonly anyContent: readonly string[];
}

interface CaseFile {
  /** Takes the context of this name from fixtures/contexts; such a case has no folder of its own. */
  readonly fixture?: string;
  readonly args?: readonly string[];
  readonly images?: readonly BaseImageName[];
  readonly anyContent?: readonly string[];
}

const casesRoot = join(import.meta.dirname, 'cases');
const fixtures = join(import.meta.dirname, '../../fixtures/contexts');

/** All cases: `cases/THEME/NAME/` and the files beside each (`NAME.case.json`, `NAME.prepare.sh`, `NAME.golden.json`). */
export function listCases(root: string = casesRoot): ConformanceCase[] {
  return readdirSync(root).flatMap((theme) => {
    const entries = readdirSync(join(root, theme), { withFileTypes: true });
    const names = entries.map((entry) => (entry.isDirectory() ? entry.name : caseNameOf(entry.name)));
    return [...new Set(names)].flatMap((name) => (name === undefined ? [] : readCase(root, `${theme}/${name}`)));
  });
}

/** Copies the context with modes that do not depend on the umask, and runs its `prepare.sh`. */
export function prepareContext({ directory }: ConformanceCase): string {
  const copy = join(scratchDirectory('case'), 'context');
  execFileSync('cp', ['-R', '--preserve=mode,links', directory, copy]);
  execFileSync('chmod', ['-R', 'u=rwX,go=rX', copy]);
  const script = `${directory}.prepare.sh`;
  if (existsSync(script)) execFileSync('sh', ['-eu', script], { cwd: copy, stdio: ['ignore', 'ignore', 'inherit'] });
  return copy;
}

function caseNameOf(file: string): string | undefined {
  return /^(.*)\.case\.json$/.exec(file)?.[1];
}

function readCase(root: string, name: string): ConformanceCase {
  const place = join(root, name);
  const file = `${place}.case.json`;
  const own: CaseFile = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const directory = own.fixture === undefined ? place : join(fixtures, own.fixture);
  const { args = [], images = ['busybox'], anyContent = [] } = own;
  return { name, directory, golden: `${place}.golden.json`, args, images, anyContent };
}
