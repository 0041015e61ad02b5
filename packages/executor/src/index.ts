export type {
  Executor,
  ProcessIO,
  ProcessSpec,
  ProcessUser,
  Resources,
  Sandbox,
  SandboxMount,
  StepEnd,
} from './executor.ts';
export { ARCHITECTURES, findEmulation } from './emulation/find-emulation.ts';
export type { Emulation, EmulationOptions, ProgramPlatform } from './emulation/find-emulation.ts';
export { probeGroups } from './cgroup/probe-groups.ts';
export { enterDeviceGuard, removeDeviceGuardSoon } from './cgroup/device-guard.ts';
export { createNamespaceExecutor } from './namespace.ts';
export type { ExecutorOptions } from './run-step.ts';
export { hostsFile, resolvConf } from './hosts.ts';
export type { ExtraHost } from './hosts.ts';
export { resolveOwner, resolveUser } from './users.ts';
export { PASTA_ADDRESSES } from './pasta.ts';
export { overlayObstacle } from './overlay-obstacle.ts';
export { probeChroot, probeNamespace } from './probe.ts';
export { createChrootExecutor } from './chroot/chroot.ts';
export type { ChrootExecutorOptions } from './chroot/chroot.ts';
export { withMaterialisedTrees } from './materialised/materialised.ts';
export type { DisposableExecutor, MaterialisedOptions } from './materialised/materialised.ts';
export { createOciExecutor } from './oci/oci.ts';
export { findRuntime } from './oci/find-runtime.ts';
export type { OciExecutorOptions } from './oci/oci.ts';
export { findTool } from './tools.ts';
