export { openAgent } from './open-agent.ts';
export { serveAgent } from './serve-agent.ts';
