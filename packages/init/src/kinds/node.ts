import { BLANK, exec, line, ORDINARY_USER, type Line, type Template } from '../line.ts';
import type { Project } from '../project.ts';

interface Manager {
  readonly lockFile?: string;
  /** Installs everything. */
  readonly install: string;
  /** Installs what runs in production. */
  readonly production: string;
  readonly run: string;
  readonly cache: string;
  readonly setUp?: string;
}

const NPM = { run: 'npm run', cache: '/root/.npm' };
const COREPACK = 'RUN corepack enable';
const MANAGERS: readonly (Manager & { readonly lockFile: string })[] = [
  {
    lockFile: 'pnpm-lock.yaml',
    install: 'pnpm install --frozen-lockfile',
    production: 'pnpm install --frozen-lockfile --prod',
    run: 'pnpm run',
    cache: '/root/.local/share/pnpm/store',
    setUp: COREPACK,
  },
  {
    lockFile: 'yarn.lock',
    install: 'yarn install --frozen-lockfile',
    production: 'yarn install --frozen-lockfile --production',
    run: 'yarn run',
    cache: '/usr/local/share/.cache/yarn',
    setUp: COREPACK,
  },
  { lockFile: 'package-lock.json', install: 'npm ci', production: 'npm ci --omit=dev', ...NPM },
];
const WITHOUT_LOCK: Manager = { install: 'npm install', production: 'npm install --omit=dev', ...NPM };

interface PackageJson {
  readonly main?: unknown;
  readonly scripts?: Readonly<Record<string, unknown>>;
  readonly dependencies?: object;
  readonly devDependencies?: object;
  readonly engines?: { readonly node?: unknown };
  readonly workspaces?: unknown;
}

/** A program for Node: dependencies in a stage of their own, a build if there is a script for it. */
export function nodeTemplate(project: Project): Template {
  const manager = MANAGERS.find(({ lockFile }) => project.has(lockFile)) ?? WITHOUT_LOCK;
  const json = readJson(project);
  const has = (list: object | undefined): boolean => Object.keys(list ?? {}).length > 0;
  const builds = json.scripts?.build !== undefined;
  if (needsWholeProject(project, json)) return wholeTemplate({ manager, json, builds });
  const runs = has(json.dependencies);
  const output = outputOf(json);
  const manifests = ['package.json', ...(manager.lockFile === undefined ? [] : [manager.lockFile])].join(' ');
  const install = (command: string): readonly Line[] => [
    line(`COPY ${manifests} ./`, 'Only these files decide what is installed: other changes keep the next step cached.'),
    line(
      `RUN --mount=type=cache,target=${manager.cache} ${command}`,
      'The cache mount keeps downloads between builds and out of the image.',
    ),
  ];
  return {
    lines: [
      ...baseOf(manager, json),
      ...(runs ? [BLANK, line('FROM base AS dependencies'), ...install(productionInstall(manager, json))] : []),
      ...(builds
        ? [
            BLANK,
            line('FROM base AS build', 'Compilers and tests stay in this stage.'),
            ...(runs || has(json.devDependencies) ? install(manager.install) : []),
            line('COPY . .'),
            line(`RUN ${manager.run} build`),
          ]
        : []),
      BLANK,
      line('FROM base'),
      line('ENV NODE_ENV=production'),
      ...(runs ? [line('COPY --from=dependencies /app/node_modules ./node_modules')] : []),
      ...(builds
        ? [line('COPY --from=build /app/package.json ./'), line(`COPY --from=build /app/${output} ./${output}`)]
        : [line('COPY . .')]),
      ORDINARY_USER,
      line(
        exec('CMD', startOf(json)),
        'As a list: the program gets signals itself, and ends when the container is stopped.',
      ),
    ],
    ignored: ['node_modules', 'npm-debug.log', ...(builds ? [output] : [])],
  };
}

/** Returns whether an installation reads more than the manifests: workspaces, or scripts that run then. */
function needsWholeProject({ has }: Project, { scripts = {}, workspaces }: PackageJson): boolean {
  const isScripted = ['preinstall', 'install', 'postinstall'].some((name) => scripts[name] !== undefined);
  return workspaces !== undefined || has('pnpm-workspace.yaml') || isScripted;
}

/** A program whose parts cannot be copied one by one. */
function wholeTemplate({ manager, json, builds }: { manager: Manager; json: PackageJson; builds: boolean }): Template {
  return {
    lines: [
      ...baseOf(manager, json),
      BLANK,
      line('FROM base AS build'),
      line('COPY . .', 'Workspaces and scripts of the installation need more than the manifests.'),
      line(`RUN --mount=type=cache,target=${manager.cache} ${manager.install}`),
      ...(builds ? [line(`RUN ${manager.run} build`)] : []),
      BLANK,
      line('FROM base'),
      line('ENV NODE_ENV=production'),
      line('COPY --from=build /app ./', 'Packages of workspaces are links into the project.'),
      ORDINARY_USER,
      line(exec('CMD', startOf(json))),
    ],
    ignored: ['node_modules', '**/node_modules', 'npm-debug.log'],
  };
}

function baseOf(manager: Manager, json: PackageJson): readonly Line[] {
  return [
    line(
      `FROM node:${versionOf(json)}-slim AS base`,
      'The version is fixed, so that a build next year gives the same.',
    ),
    line('WORKDIR /app'),
    ...(manager.setUp === undefined ? [] : [line(manager.setUp)]),
  ];
}

/** Returns the installation for production. A script "prepare" runs then too, and mostly needs tools of development. */
function productionInstall({ production }: Manager, { scripts = {} }: PackageJson): string {
  return scripts.prepare === undefined ? production : `npm pkg delete scripts.prepare && ${production}`;
}

function readJson(project: Project): PackageJson {
  try {
    const json: unknown = JSON.parse(project.read('package.json'));
    return typeof json === 'object' && json !== null ? json : {};
  } catch {
    return {};
  }
}

/** Returns the major version that the project asks for, or that of the present long-term support. */
function versionOf({ engines }: PackageJson): string {
  return /(\d+)/.exec(String(engines?.node ?? ''))?.[1] ?? '24';
}

/** Returns the directory that the build writes, which the entry point names if it is in one. */
function outputOf({ main }: PackageJson): string {
  const [directory = '', rest] = typeof main === 'string' ? main.replace(/^\.\//, '').split('/') : [];
  return rest === undefined || directory === 'src' ? 'dist' : directory;
}

/** Returns the command of the start script if it is Node itself, which then gets the signals, or the entry point. */
function startOf({ main, scripts }: PackageJson): readonly string[] {
  const start = typeof scripts?.start === 'string' ? scripts.start.trim() : '';
  if (/^node( [\w./@=-]+)+$/.test(start)) return start.split(/ +/);
  if (start !== '') return ['npm', 'start'];
  return ['node', typeof main === 'string' ? main : 'index.js'];
}
