export type { Executor, ProcessIO, ProcessSpec, ProcessUser, Sandbox, SandboxMount } from './executor.ts';
export { createNamespaceExecutor } from './namespace.ts';
export type { NamespaceExecutorOptions } from './namespace.ts';
export { hostsFile } from './hosts.ts';
export type { ExtraHost } from './hosts.ts';
export { resolveOwner, resolveUser } from './users.ts';
