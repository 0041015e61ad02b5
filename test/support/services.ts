import { createServer, request, type Server } from 'node:http';
import { join } from 'node:path';
import { startDocker } from './docker.ts';
import { startRegistry } from './registry.ts';

/** Daemons that all test files of a run share: started on first use, stopped at the end of the run. */
export type ServiceName = 'docker' | 'registry';

/** Names the socket of the run's services in the environment. */
const socketVariable = 'TBUILD_TEST_SERVICES';

const starters: Readonly<Record<ServiceName, () => Promise<{ host: string } & AsyncDisposable>>> = {
  docker: () => startDocker(),
  registry: () => startRegistry(),
};

/** Serves the services to the workers of a test run, on a socket in `directory`. */
export async function serveServices(directory: string): Promise<AsyncDisposable> {
  const services = startOnDemand();
  const socket = join(directory, 'services.sock');
  const server = createServer((incoming, response) => {
    services.start((incoming.url ?? '').slice(1) as ServiceName).then(
      (host) => response.end(host),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  process.env[socketVariable] = socket;
  return {
    async [Symbol.asyncDispose]() {
      await closeServer(server);
      await services[Symbol.asyncDispose]();
    },
  };
}

/** Returns the host of a shared service: `unix:///…` for docker, `127.0.0.1:port` for the registry. */
export function sharedService(name: ServiceName): Promise<string> {
  const socketPath = process.env[socketVariable];
  if (socketPath === undefined)
    throw new Error('Shared services need test/support/global-setup.ts in the vitest configuration');
  return new Promise((resolve, reject) => {
    request({ socketPath, path: `/${name}` }, async (response) => {
      let body = '';
      for await (const chunk of response.setEncoding('utf8')) body += chunk;
      if (response.statusCode === 200) resolve(body);
      else reject(new Error(body));
    })
      .on('error', reject)
      .end();
  });
}

function startOnDemand() {
  const running = new Map<ServiceName, Promise<{ host: string } & AsyncDisposable>>();
  return {
    async start(name: ServiceName): Promise<string> {
      const service = running.get(name) ?? starters[name]();
      running.set(name, service);
      return (await service).host;
    },
    async [Symbol.asyncDispose]() {
      const started = await Promise.allSettled(running.values());
      await Promise.all(
        started.map((one) => (one.status === 'fulfilled' ? one.value[Symbol.asyncDispose]() : undefined)),
      );
    },
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
