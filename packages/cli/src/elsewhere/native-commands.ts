/** Commands that only read files, or speak with registries. */
const NATIVE = new Set([
  '',
  'help',
  '--help',
  '-h',
  'version',
  '--version',
  '-v',
  'imagetools',
  'explain',
  'completion',
  'gitlab-ci',
  'init',
  'login',
  'logout',
]);

/** Returns whether a command line can be answered without Linux. */
export function needsNoLinux(argv: readonly string[]): boolean {
  const [first = ''] = argv;
  if (NATIVE.has(first)) return true;
  if (first === 'bake') return argv.includes('--print');
  return argv.some((word) => word === '--check' || word === '--help' || /^--call(?:=|$)/.test(word));
}
