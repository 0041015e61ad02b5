import { hasProgram, isRoot } from './requirements.ts';

/** The isolations of RUN that this machine can be asked for, for suites that must hold in each. */
export const isolations: readonly string[] = [
  'namespace',
  ...(['crun', 'runc', 'youki'].some(hasProgram) ? ['oci'] : []),
  ...(isRoot ? ['chroot'] : []),
];
