import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { errnoName } from '@tbuild/errors';
import type { buildConnector as BuildConnector } from 'undici';

export interface TlsOptions {
  /** Returns additional trusted certificates (PEM). Called if a server's certificate has an unknown authority. */
  ca?(): string;
  /** The client's own certificate and key (PEM). */
  readonly client?: { readonly certificate: string; readonly key: string };
  /** Whether any certificate is accepted. */
  readonly insecure: boolean;
}

type Connector = BuildConnector.connector;

const CONNECT_TIMEOUT = 15_000;
const UNKNOWN_ISSUER = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/**
 * Connects with Node's own certificates, and tries the additional ones if those do not suffice. Reading the machine's
 * whole store takes a tenth of a second, which most connections do not need.
 */
export function createConnector(build: typeof BuildConnector, options: TlsOptions): Connector {
  const plain = build(tlsOptions(options));
  let trusting: Connector | undefined;
  return (target, callback) => {
    if (trusting !== undefined) return trusting(target, callback);
    plain(target, (...answer) => {
      const [error] = answer;
      if (options.ca === undefined || !UNKNOWN_ISSUER.has(errnoName(error) ?? '')) return callback(...answer);
      try {
        trusting ??= build(trustingOptions(options));
      } catch (reason) {
        return callback(reason instanceof Error ? reason : new Error(String(reason)), null);
      }
      return trusting(target, callback);
    });
  };
}

/** Returns the options for undici that trust the additional certificates at once. */
export function trustingOptions(options: TlsOptions): BuildConnector.BuildOptions {
  const own = tlsOptions(options);
  return options.ca === undefined ? own : { ...own, secureContext: contextOf(options.ca(), options.client) };
}

function tlsOptions({ client, insecure }: TlsOptions): BuildConnector.BuildOptions {
  const shown = client === undefined ? {} : { cert: client.certificate, key: client.key };
  return { ...shown, rejectUnauthorized: !insecure, timeout: CONNECT_TIMEOUT };
}

// Created once, since Node would parse all certificates for each connection.
function contextOf(ca: string, client: TlsOptions['client']): SecureContext {
  return createSecureContext({ ca: [...rootCertificates, ca], cert: client?.certificate, key: client?.key });
}
