// A module of our own, since a bundler gives the names of a CommonJS package only to static imports.
export { Agent, buildConnector, ProxyAgent } from 'undici';
