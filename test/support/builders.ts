import { canSwitchUser, isRoot } from './requirements.ts';

/** The users for suites that must hold for root and for an ordinary user alike. */
export const builders: readonly { readonly who: string; readonly asUser: boolean }[] = [
  { who: isRoot ? 'root' : 'an ordinary user', asUser: false },
  ...(canSwitchUser ? [{ who: 'an ordinary user', asUser: true }] : []),
];
