export type {
  Executor,
  JoinedNetwork,
  ProcessIO,
  ProcessUser,
  Resources,
  Sandbox,
  SandboxMount,
  StepEnd,
  StepMemory,
} from './executor.ts';
export { ARCHITECTURES, findEmulation } from './emulation/find-emulation.ts';
export type { Emulation } from './emulation/find-emulation.ts';
export { probeCgroups } from './cgroup/probe-cgroups.ts';
export { enterDeviceGuard, removeDeviceGuardSoon } from './cgroup/device-guard.ts';
export { searchPath } from './enter/search-path.ts';
export { createNamespaceExecutor } from './namespace/namespace.ts';
export { gatewayAddress, hostsFile, resolvConf } from './network/hosts.ts';
export type { ExtraHost } from './network/hosts.ts';
export { resolveOwner, resolveUser } from './sandbox/users.ts';
export { createIsolatedNetwork } from './network/isolated-network.ts';
export { emulatedOn } from './machine/emulated-on.ts';
export { overlayObstacle } from './machine/overlay-obstacle.ts';
export { probeChroot, probeNamespace } from './machine/probe.ts';
export { createChrootExecutor } from './chroot/chroot.ts';
export { withMaterialisedTrees } from './materialised/materialised.ts';
export { createOciExecutor } from './oci/oci.ts';
export { findRuntime } from './oci/find-runtime.ts';
