export type { Executor, ProcessIO, ProcessSpec, ProcessUser, Sandbox, SandboxMount } from './executor.ts';
export { createNamespaceExecutor } from './namespace.ts';
export type { NamespaceExecutorOptions } from './namespace.ts';
export { hostsFile, resolvConf } from './hosts.ts';
export type { ExtraHost } from './hosts.ts';
export { resolveOwner, resolveUser } from './users.ts';
export { createOutside } from './outside.ts';
export type { Outside, OutsideOptions, OutsidePlace, OutsideResult } from './outside.ts';
export { probeNamespace } from './probe.ts';
