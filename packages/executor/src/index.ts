export type {
  Executor,
  JoinedNetwork,
  ProcessIO,
  ProcessSpec,
  ProcessUser,
  Resources,
  Sandbox,
  SandboxMount,
  StepEnd,
  StepMemory,
} from './executor.ts';
export { ARCHITECTURES, findEmulation } from './emulation/find-emulation.ts';
export type { Emulation, EmulationOptions, ProgramPlatform } from './emulation/find-emulation.ts';
export { probeCgroups } from './cgroup/probe-cgroups.ts';
export { enterDeviceGuard, removeDeviceGuardSoon } from './cgroup/device-guard.ts';
export { searchPath } from './enter/search-path.ts';
export { createNamespaceExecutor } from './namespace/namespace.ts';
export type { ExecutorOptions } from './process/run-step.ts';
export { gatewayAddress, hostsFile, resolvConf } from './network/hosts.ts';
export type { ExtraHost } from './network/hosts.ts';
export { resolveOwner, resolveUser } from './sandbox/users.ts';
export { createIsolatedNetwork, type IsolatedNetwork } from './network/isolated-network.ts';
export { emulatedOn } from './machine/emulated-on.ts';
export { overlayObstacle } from './machine/overlay-obstacle.ts';
export { probeChroot, probeNamespace } from './machine/probe.ts';
export { createChrootExecutor } from './chroot/chroot.ts';
export type { ChrootExecutorOptions } from './chroot/chroot.ts';
export { withMaterialisedTrees } from './materialised/materialised.ts';
export type { DisposableExecutor, MaterialisedOptions } from './materialised/materialised.ts';
export { createOciExecutor } from './oci/oci.ts';
export { findRuntime } from './oci/find-runtime.ts';
export type { OciExecutorOptions } from './oci/oci.ts';
export { findTool } from './machine/tools.ts';
