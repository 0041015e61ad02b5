// A module of its own, since a bundler resolves names of a CommonJS package only in static imports.
export { Client } from 'undici';
