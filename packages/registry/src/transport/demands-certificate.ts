import { connect } from 'node:tls';
import { errnoName } from '@tbuild/errors';

/** OpenSSL's name of the alert. */
export const CERTIFICATE_REQUIRED = 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED';
const TIME = 3000;

/**
 * Decides whether a server closes connections because the client sends no certificate. In TLS 1.3 this follows only after
 * the handshake, when undici reports a closed connection.
 */
export async function demandsCertificate({ hostname, port }: URL): Promise<boolean> {
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port || 443), rejectUnauthorized: false });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(TIME, () => done(false));
    socket.on('error', (error) => done(errnoName(error) === CERTIFICATE_REQUIRED));
    socket.on('close', () => done(false));
    socket.on('secureConnect', () => socket.write('HEAD / HTTP/1.1\r\n\r\n'));
    socket.on('data', () => done(false));
  });
}
