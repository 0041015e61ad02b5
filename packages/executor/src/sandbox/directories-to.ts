/**
 * Returns the directories that a step needs for its working directory: that itself, after those that the path goes through.
 * As with runc, `/a/../b` needs `/a` too.
 */
export function directoriesTo(cwd: string): readonly string[] {
  const parts = cwd.split('/');
  const left = parts.flatMap((part, at) => (part === '..' ? [parts.slice(0, at).join('/')] : []));
  return [...left.filter((path) => path !== ''), cwd];
}
