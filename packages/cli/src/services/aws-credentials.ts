// A module of its own, since it is loaded for caches in buckets only.
export { defaultProvider } from '@aws-sdk/credential-provider-node';
