export type { Executor, ProcessIO, ProcessSpec, ProcessUser, Sandbox, SandboxMount } from './executor.ts';
