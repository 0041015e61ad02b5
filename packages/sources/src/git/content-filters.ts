import { runGit, type GitRemote } from './run-git.ts';

/**
 * Returns everything of this machine that decides what the user's filters, such as Git LFS, make of contents on checkout:
 * their commands, whether the programs exist, and what Git LFS leaves out. Undefined if there is no filter.
 * @throws TbuildError as {@link runGit}.
 */
export async function contentFilters(remote: GitRemote, cwd: string): Promise<readonly string[] | undefined> {
  const settings = readSettings(await runGit(['config', '--list', '--includes', '--null'], remote, { cwd }));
  const commands = [...settings].filter(([name]) => /\.(?:smudge|process)$/.test(name)).map(([, command]) => command);
  if (commands.length === 0) return undefined;
  const programs = commands.map((command) => command.trim().split(/\s/, 1)[0] ?? '');
  const { runProgram, signal } = remote;
  const { stdout } = await runProgram(['sh', '-c', SCRIPT, 'sh', ...new Set(programs)], { cwd, signal });
  return [...[...settings].map((pair) => pair.join('=')).toSorted(), Buffer.from(stdout).toString('utf8')];
}

const SCRIPT = `
for program; do
  if command -v "$program" > /dev/null; then echo "$program"; fi
done
echo "GIT_LFS_SKIP_SMUDGE=\${GIT_LFS_SKIP_SMUDGE:-}"
`;

/** Reads `NAME\nVALUE\0`, of which the last of a name counts. */
function readSettings(output: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const entry of output.split('\0')) {
    const [name = '', ...value] = entry.split('\n');
    if (/^(?:filter\..*\.(?:smudge|process|required)|lfs\.fetch(?:include|exclude))$/.test(name))
      settings.set(name, value.join('\n'));
  }
  return settings;
}
