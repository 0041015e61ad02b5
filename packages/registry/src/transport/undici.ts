// A separate module, since a bundler resolves the names of a CommonJS package only for static imports.
export { Agent, buildConnector, ProxyAgent } from 'undici';
