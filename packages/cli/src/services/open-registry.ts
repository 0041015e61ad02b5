import { join } from 'node:path';
import {
  createRegistryClient,
  createWebClient,
  loadCredentials,
  type CredentialFile,
  type CredentialSource,
  type RunHelper,
  type RegistryClient,
  type WebClient,
  type WebClientOptions,
} from '@tbuild/registry';
import { addedCertificates } from '../config/added-certificates.ts';
import { type Environment, searchPath } from '../config/environment.ts';
import { cloudCredentials } from '../config/registries/cloud-credentials.ts';
import { readDockerDaemon } from '../config/registries/docker-daemon.ts';
import { readRegistriesConf } from '../config/registries/registries-conf.ts';
import { createRegistryRules, type RegistryOptions } from '../config/registries/registry-rules.ts';
import { waitLimits } from '../config/registries/wait-limits.ts';
import { givenCertificates, registryCertificates } from '../config/registry-certificates.ts';
import { trustedCertificates } from '../config/trusted-certificates.ts';
import { jobCredentials, jobMirror } from '../gitlab/job-credentials.ts';
import { VERSION } from '../startup/version.ts';
import { openOutside } from './run-program.ts';
import { waitingClock, type ShowWait } from './waiting-clock.ts';

/** A credential helper may take two minutes, since it may ask its user. */
const HELPER_TIME = 120_000;

export interface RegistryAccess {
  /** Credentials to use instead of the user's own. */
  readonly credentials?: CredentialSource;
  /** Defaults to a line on standard error. */
  readonly showWait?: ShowWait;
}

/**
 * Opens the client for all registries, with the user's certificates, proxies and, unless others are given, credentials.
 */
export function openRegistry(
  options: RegistryOptions,
  env: Environment,
  { credentials, showWait = lineFor(env) }: RegistryAccess = {},
): RegistryClient {
  const { TBUILD_REGISTRY_MIRRORS = '', TBUILD_REGISTRY_MIRRORS_ONLY = '' } = env.variables;
  const docker = readDockerDaemon();
  const rules = createRegistryRules(
    {
      insecure: [...options.insecure, ...docker.insecure],
      mirrors: [TBUILD_REGISTRY_MIRRORS, ...(options.mirrors ?? []), ...jobMirror(env.variables), ...docker.mirrors],
      mirrorsOnly: options.mirrorsOnly === true || /^(?:1|true|yes)$/i.test(TBUILD_REGISTRY_MIRRORS_ONLY),
    },
    readRegistriesConf(env),
  );
  const certificates = new Map(
    Object.entries(options.certificates ?? {}).map(([registry, files]) => [registry, givenCertificates(files)]),
  );
  return createRegistryClient({
    credentials: credentials ?? ownCredentials(env),
    certificates: (registry) => certificates.get(registry) ?? registryCertificates(registry, env),
    ...rules,
    ...connectionOptions(options, env, showWait),
  });
}

/** Finds the credentials of the user and the job, then those of a cloud whose helper is installed. */
function ownCredentials(env: Environment): CredentialSource {
  const runHelper: RunHelper = async (program, args, input) => {
    const signal = AbortSignal.timeout(HELPER_TIME);
    const options = { cwd: env.cwd, input: Buffer.from(input), signal };
    const { exitCode, stdout, stderr } = await openOutside(env).run([program, ...args], options);
    return {
      exitCode,
      stdout: Buffer.from(stdout).toString('utf8'),
      stderr: Buffer.from(stderr).toString('utf8'),
    };
  };
  const own = loadCredentials({ files: credentialFiles(env), runHelper });
  const cloud = cloudCredentials({ path: searchPath(env), runHelper });
  return async (registry, repository) => (await own(registry, repository)) ?? cloud(registry, repository);
}

/** Opens the client for all other servers. */
export function openWeb(options: RegistryOptions, env: Environment, showWait: ShowWait = lineFor(env)): WebClient {
  return createWebClient(connectionOptions(options, env, showWait));
}

function connectionOptions(options: RegistryOptions, { variables }: Environment, showWait: ShowWait): WebClientOptions {
  const { ca = [] } = options;
  return {
    ...waitLimits(options, variables),
    ca: () => `${trustedCertificates(variables)}\n${addedCertificates(ca)}`,
    proxy: {
      http: variables.HTTP_PROXY ?? variables.http_proxy,
      https: variables.HTTPS_PROXY ?? variables.https_proxy,
      none: variables.NO_PROXY ?? variables.no_proxy,
    },
    userAgent: `tbuild/${VERSION}`,
    clock: waitingClock(showWait),
  };
}

function lineFor({ stderr }: Environment): ShowWait {
  return async (title, wait) => {
    stderr.write(`${title.replace(/^\[internal\] /, '')}\n`);
    await wait();
  };
}

/** Returns the files with credentials: Docker's own before those of podman, which has several. */
function credentialFiles({ variables, uid }: Environment): readonly CredentialFile[] {
  const { DOCKER_AUTH_CONFIG, DOCKER_CONFIG, REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR, HOME, XDG_CONFIG_HOME } = variables;
  const docker = DOCKER_CONFIG ?? (HOME === undefined ? undefined : join(HOME, '.docker'));
  const config = XDG_CONFIG_HOME ?? (HOME === undefined ? undefined : join(HOME, '.config'));
  const podman = [
    join(XDG_RUNTIME_DIR ?? `/run/user/${uid}`, 'containers'),
    `/run/containers/${uid}`,
    ...(config === undefined ? [] : [join(config, 'containers')]),
  ].map((place) => join(place, 'auth.json'));
  const files: (CredentialFile | undefined)[] = [
    DOCKER_AUTH_CONFIG === undefined ? undefined : { name: 'DOCKER_AUTH_CONFIG', text: DOCKER_AUTH_CONFIG },
    docker === undefined ? undefined : { path: join(docker, 'config.json') },
    ...(REGISTRY_AUTH_FILE ? [REGISTRY_AUTH_FILE] : podman).map((path) => ({ path })),
    jobCredentials(variables),
  ];
  return files.filter((file) => file !== undefined);
}
