import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { patience } from '../../support/patience.ts';
import { seededRandom, type Random } from '../../support/random.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, writeFiles } from '../../support/tbuild.ts';

/**
 * Whatever is edited, a store that knows all builds before must give what an empty one gives. `TBUILD_TEST_RANDOM=200`
 * goes on for so many builds, `TBUILD_TEST_SEED=7` tries others.
 */
const ROUNDS = Number(process.env['TBUILD_TEST_RANDOM'] ?? 5);
const SEED = Number(process.env['TBUILD_TEST_SEED'] ?? 5);

const names = ['a', 'b', 'c.txt', 'd/a', 'd/b.txt', 'd/e/a', 'f/c'];
const contents = ['x\n', 'y\n', 'longer\n'.repeat(50), ''];
const sources = ['.', 'd', 'd/e', '*.txt', 'd/*', '[ab]*', 'f'];

/** Shows all that a step can see below some directories, but times. */
const look = (where: string, to: string): string =>
  `RUN find ${where} -exec stat -c '%n %F %a %u %g' {} + 2>&1 | sort > ${to}; find ${where} -type l -exec readlink {} ';' | sort >> ${to}; ` +
  `find ${where} -type f | sort | xargs -r cat >> ${to}; env | grep -v HOSTNAME | sort >> ${to}; id >> ${to}; pwd >> ${to}; true`;

const mounting = (what: string): string => look('/m', '/mounted').replace('RUN', `RUN --mount=${what},target=/m`);

const instructions: readonly ((random: Random) => string)[] = [
  ({ pick }) => `COPY ${pick(['', '--chown=1:2', '--chmod=600', '--exclude=*.txt', '--link'])} ${pick(sources)} /w/`,
  ({ pick }) => `COPY ${pick(['', '--chown=5', '--chmod=u+x', '--parents'])} ${pick(sources)} /v/`,
  ({ pick }) => `COPY --from=made ${pick(['/made', '/made/x', '/seen'])} /from/`,
  ({ pick }) => `ENV ${pick(['A', 'B'])}=${pick(['1', '2', '$A', '$B'])}`,
  ({ pick }) => `ARG ${pick(['A', 'B'])}${pick(['', '=1', '=2'])}`,
  ({ pick }) => `WORKDIR ${pick(['/w', 'below', '/x$A'])}`,
  ({ pick }) => mounting(`from=made,source=${pick(['/made', '/made/x'])}`),
  ({ pick }) => `COPY <<E /text\n${pick(['one', 'two $A'])}\nE`,
];

function dockerfile(random: Random): string {
  const own = Array.from({ length: 3 + random.int(4) }, () => random.pick(instructions)(random));
  const mode = random.pick(['755', '700']);
  return `FROM busybox AS made
COPY d /made
RUN chmod ${mode} /made; echo ${random.int(2)} > /made/x
${look('/made', '/seen')}
FROM busybox
${own.join('\n')}
USER 0
${look('/w /v /from', '/log')}
${['.', 'd', 'f'].map((source) => mounting(`source=${source}`)).join('\n')}
`;
}

/** Each changes what is at a path of the context. */
const edits: readonly ((path: string, random: Random) => void)[] = [
  (path, { pick }) => (makeWay(path), writeFileSync(path, pick(contents))),
  function keepSizeAndTime(path, { int }) {
    if (!isFile(path)) return;
    const { mtime } = lstatSync(path);
    writeFileSync(path, readFileSync(path).fill(97 + int(26)));
    utimesSync(path, mtime, mtime);
  },
  (path, { pick }) => isFile(path) && chmodSync(path, pick([0o644, 0o755, 0o600, 0o4755])),
  (path, { pick }) => existsSync(path) && chmodSync(dirname(path), pick([0o755, 0o700])),
  (path, { pick }) => (makeWay(path), symlinkSync(pick(['a', '/w/a', '../a', 'nowhere']), path)),
  (path) => (makeWay(path), mkdirSync(path)),
  (path) => makeWay(path),
  (path) => (
    makeWay(path),
    writeFileSync(`${path}.new`, 'new\n'),
    linkSync(`${path}.new`, path),
    rmSync(`${path}.new`)
  ),
  (path) => isFile(path) && (makeWay(`${path}2`), linkSync(path, `${path}2`)),
];

/** Leaves nothing at a path, and a directory above it. */
function makeWay(path: string): void {
  rmSync(path, { recursive: true, force: true });
  if (isFile(dirname(path)) || lstatSync(dirname(path), { throwIfNoEntry: false })?.isSymbolicLink())
    rmSync(dirname(path));
  mkdirSync(dirname(path), { recursive: true });
}

function isFile(path: string): boolean {
  try {
    return lstatSync(path).isFile();
  } catch {
    return false;
  }
}

/** What is made, or that a source is not there. */
async function outcome(context: string, store: string, args: readonly string[]) {
  const build = await buildContext(context, { store, args });
  if (build.exitCode !== 0) return 'failed';
  const { config } = build.image();
  const history = config.history?.map(({ created_by }) => created_by);
  return { entries: build.tree().entries, config: config.config, history };
}

/** Makes a directory of what is there, and sees that a COPY of it finds something. */
function keepDirectory(path: string): void {
  if (existsSync(join(path, 'kept'))) return;
  makeWay(path);
  writeFiles({ kept: '' }, path);
}

test(
  `random edits leave nothing stale (seed ${SEED})`,
  { timeout: (60_000 + 10_000 * ROUNDS) * patience },
  async () => {
    const random = seededRandom(SEED);
    const { int, pick } = random;
    const context = writeFiles({ 'c.txt': 'c\n' });
    const known = scratchDirectory('store');
    let isWanted = true;
    for (let round = 0; round < ROUNDS; round++) {
      if (isWanted || int(5) === 0) writeFileSync(join(context, 'Dockerfile'), dockerfile(random));
      writeFileSync(join(context, '.dockerignore'), pick(['', '', 'd/e/a\n', '*.txt\n!c.txt\n']));
      for (let edit = 0; edit < 3; edit++) pick(edits)(join(context, pick(names)), random);
      for (const directory of ['d/e', 'f']) keepDirectory(join(context, directory));
      const args = pick([[], [], ['--build-arg', 'A=3'], ['--no-cache-filter', 'made']]);
      const fresh = await outcome(context, scratchDirectory('store'), args);
      expect(await outcome(context, known, args), `round ${round}`).toEqual(fresh);
      isWanted = fresh === 'failed';
    }
  },
);
