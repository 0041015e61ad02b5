import { hasProgram, isRoot } from './requirements.ts';

/** The isolations of RUN that this machine offers, for suites that must hold in each. */
export const isolations: readonly string[] = [
  'namespace',
  ...(['crun', 'runc', 'youki'].some(hasProgram) ? ['oci'] : []),
  ...(isRoot ? ['chroot'] : []),
];
