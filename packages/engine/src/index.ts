export { dockerImages } from './docker-images.ts';
export { openDockerEngine } from './docker-engine.ts';
export type { DockerEngine } from './docker-engine.ts';
export type { EngineAddress, EngineTls } from './engine-address.ts';
export type { EngineImage, ImageEngine } from './image-engine.ts';
export { storageImages } from './program-images.ts';
export { requireSuccess } from './program-output.ts';
export type { Programs } from './program-output.ts';
