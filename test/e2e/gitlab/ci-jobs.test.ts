// oxlint-disable no-control-regex -- the log of a job is about control characters
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { clone, cloneMounts, type RunInContainer, startDockerContainers } from '../../support/containers.ts';
import { type S3Server, s3Server, startS3 } from '../../support/object-servers.ts';
import { jobsOf, type PageJob, snippetsOf } from '../../support/page-snippets.ts';
import { startRegistry, type Registry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const auth = { username: 'gitlab-ci-token', password: 's3cret' };

const pages = ['ci.md', 'gitlab.md', 'coming-from.md'];
const jobs = pages.flatMap(jobsOf);

function jobAt(page: string, heading: string, name: string): PageJob {
  const found = jobs.find((job) => job.page === page && job.heading === heading && job.name === name);
  if (found === undefined) throw new Error(`docs/${page} has no job ${name} in "${heading}"`);
  return found;
}

describe(
  "the GitLab jobs of the documentation, in a container with Docker's defaults:",
  needs('docker', 'registry', s3Server),
  () => {
    let run: RunInContainer;
    let registry: Registry;
    let bucket: S3Server;
    let base: string;
    beforeAll(async () => {
      if (needs('docker', 'registry', s3Server).skip === true) return;
      run = await startDockerContainers();
      registry = await startRegistry({ auth });
      bucket = await startS3();
      base = await pushBaseImage('busybox', registry.host, `${auth.username}:${auth.password}`);
    });
    afterAll(async () => {
      await registry?.[Symbol.asyncDispose]();
      await bucket?.[Symbol.asyncDispose]();
    });

    /** The variables of a job with a cache in a bucket, for one that stands here. */
    const bucketVariables = () => ({
      TOKEN: 'header.payload.signature',
      AWS_REGION: bucket.region,
      AWS_ROLE_ARN: bucket.role,
      AWS_WEB_IDENTITY_TOKEN_FILE: '/project.tmp/token',
      AWS_ENDPOINT_URL_STS: bucket.endpoint,
      CACHE: `type=s3,bucket=${bucket.bucket},endpoint_url=${bucket.endpoint},use_path_style=true`,
    });

    /** Runs the commands of a job in a checkout with the variables of a job, as a runner does. */
    function runJob(
      commands: readonly string[],
      dockerfile: string,
      variables: Record<string, string> = {},
    ): Promise<string> {
      expect(commands.length).toBeGreaterThan(0);
      const project = writeFiles({ Dockerfile: dockerfile, 'app.txt': 'app\n' });
      const job = {
        GITLAB_CI: 'true',
        CI_REGISTRY: registry.host,
        CI_JOB_TOKEN: auth.password,
        CI_REGISTRY_IMAGE: `${registry.host}/team/app`,
        CI_COMMIT_SHORT_SHA: '1ecfd275',
        CI_COMMIT_TAG: 'v1',
        CI_PROJECT_DIR: '/project',
        CI_PROJECT_URL: 'https://gitlab.example/team/app',
        CI_COMMIT_SHA: '1ecfd275763eff1d6b4844ea3168962458c9f27a',
        TBUILD_ROOT: '/builds/tbuild-store',
        ...variables,
      };
      const options = Object.entries(job).map(([name, value]) => `--env=${name}=${value}`);
      const mounts = [...cloneMounts(), `--volume=${project}:/project`, '--volume=/builds'];
      const script = `cd /project && PATH=$PATH:${clone.repository}/packages/cli/bin && set -e\n${commands.join('\n')}`;
      return run([...mounts, ...options], ['sh', '-c', `exec 2>&1; ${script}`]);
    }

    test('the second job of a project finds every step in the cache of the first', async () => {
      const commands = jobAt('ci.md', 'GitLab: build and push', 'build').script;
      const dockerfile = `FROM ${base}\nRUN echo slow > /made\nCOPY app.txt /\n`;
      expect(await runJob(commands, dockerfile)).toMatch(/RUN echo slow > \/made \d+\.\ds\b/);
      expect(await runJob(commands, dockerfile)).toContain('RUN echo slow > /made CACHED');
    });

    test('images of two architectures are merged into one index', async () => {
      const heading = 'GitLab: several architectures';
      const dockerfile = `FROM ${base}\nCOPY app.txt /\n`;
      for (const ARCH of ['amd64', 'arm64'])
        await runJob(jobAt('ci.md', heading, 'build').script, dockerfile, { ARCH });
      const inspect = 'tbuild imagetools inspect "$CI_REGISTRY_IMAGE:$CI_COMMIT_SHORT_SHA"';
      const output = await runJob([...jobAt('ci.md', heading, 'merge').script, inspect], dockerfile);
      for (const arch of ['amd64', 'arm64']) expect(output).toContain(`linux/${arch}`);
    });

    test('a check with a warning fails the job', async () => {
      const commands = jobAt('ci.md', 'Checks without a build', 'check').script;
      await expect(runJob(commands, 'FROM scratch\nCOPY app.txt /\n')).resolves.toContain('Check complete');
      await expect(runJob(commands, 'from scratch\nCOPY app.txt /\n')).rejects.toThrow('ConsistentInstructionCasing');
    });

    const named = jobs.map((job) => [job.page, job.heading, job.name, job] as const);
    test.each(named)('docs/%s, "%s": the job "%s" runs, and pushes what it names', async (page, heading, name, job) => {
      const dockerfile = `FROM --platform=$BUILDPLATFORM ${base} AS made
RUN echo made > /made
FROM ${base}
COPY --from=made /made /
`;
      const place = [page, heading, name]
        .join('-')
        .toLowerCase()
        .replace(/[^a-z]+/g, '-');
      const own = { ...bucketVariables(), CI_REGISTRY_IMAGE: `${registry.host}/team/${place}` };
      for (const needed of job.needs.map((one) => jobAt(page, heading, one)))
        for (const variables of needed.runs) await runJob(needed.script, dockerfile, { ...own, ...variables });
      const tags = [...job.script.join('\n').matchAll(/ -t ("[^"]+")/g)].map(([, tag]) => tag);
      const script = [...job.script, ...tags.map((tag) => `tbuild imagetools inspect ${tag}`)];
      for (const variables of job.runs) {
        const output = await runJob(script, dockerfile, { ...own, ...variables });
        expect(output.match(/^Name: +.*$/gm) ?? []).toHaveLength(tags.length);
      }
    });

    const commands = pages.flatMap((page) => snippetsOf(page, 'sh')).map((one) => [one.page, one.heading, one.text]);
    const ofTbuild = commands.filter(([, , text]) => text?.includes('tbuild '));
    test.each(ofTbuild)('docs/%s, "%s": the commands run', async (_page, _heading, text = '') => {
      const lines = text
        .replaceAll('registry.example', registry.host)
        .trim()
        .split(/\n(?=\S)/);
      const variables = { TOKEN: auth.password, USERNAME: auth.username };
      for (const line of lines) await runJob([line], `FROM ${base}\nCOPY app.txt /\n`, variables);
    });

    const others = commands.filter(([, , text]) => !text?.includes('tbuild '));
    test.each(others)('docs/%s, "%s": the commands push an image of a release', needs('skopeo'), async (...snippet) => {
      const [, , text = ''] = snippet;
      const archive = /oci-archive:(\S+)/.exec(text)?.[1] ?? '';
      const files = { Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n', [archive]: '' };
      const cwd = writeFiles({
        ...files,
        '.config/containers/registries.conf': `[[registry]]\nlocation = "${registry.host}"\ninsecure = true\n`,
        'auth.json': JSON.stringify({
          auths: { [registry.host]: { auth: Buffer.from(`${auth.username}:${auth.password}`).toString('base64') } },
        }),
      });
      good(await runTbuild(['-o', `type=oci,dest=${archive}`, '.'], { cwd }));
      const env = { HOME: cwd, REGISTRY_AUTH_FILE: `${cwd}/auth.json` };
      await runChecked('sh', ['-ec', text.replaceAll('registry.example', registry.host)], { cwd, env });
      expect(await runJob([`tbuild imagetools inspect ${registry.host}/ci/tbuild:0.1.0`], '')).toContain('Digest:');
    });

    test('gitlab.md, "Reports": the image is labelled, and a later job gets its names', async () => {
      const show = [
        'cat build.env',
        'tbuild inspect --format \'{{json .Config.Labels}}\' "$CI_REGISTRY_IMAGE:$CI_COMMIT_SHORT_SHA"',
      ];
      const output = await runJob(
        [...jobAt('gitlab.md', 'Reports', 'build').script, ...show],
        `FROM ${base}\nCOPY app.txt /\n`,
      );
      expect(output).toContain(`TBUILD_IMAGE=${registry.host}/team/app:1ecfd275\n`);
      expect(output).toMatch(/^TBUILD_REFERENCE=\S+\/team\/app@sha256:[0-9a-f]{64}$/m);
      expect(output).toContain('"org.opencontainers.image.source":"https://gitlab.example/team/app"');
      expect(output).toContain('"org.opencontainers.image.version":"v1"');
    });

    test('gitlab.md, "Reports": the dependencies of the image are listed', async () => {
      const commands = [...jobAt('gitlab.md', 'Reports', 'listed').script, 'echo; cat gl-sbom.cdx.json'];
      const output = await runJob(commands, `FROM ${base}\nCOPY app.txt /\n`);
      const document = JSON.parse(output.slice(output.indexOf('\n{\n')));
      expect(document).toMatchObject({ bomFormat: 'CycloneDX' });
    });

    test('gitlab.md, "Reports": a check writes code quality that names the line', async () => {
      const commands = jobAt('gitlab.md', 'Reports', 'check').script.map((command) => `${command} || true`);
      const output = await runJob([...commands, 'cat gl-code-quality-report.json'], `FROM ${base}\nENV a b\n`);
      const [issue] = JSON.parse(output.slice(output.indexOf('[\n')));
      expect(issue).toMatchObject({
        check_name: 'LegacyKeyValueFormat',
        location: { path: 'Dockerfile', lines: { begin: 2 } },
      });
    });

    test('a step that went well is a collapsed section, and the failed one is open', async () => {
      const dockerfile = `FROM ${base}\nRUN echo good\nRUN echo bad; exit 3\n`;
      const output = await runJob(['tbuild . || true'], dockerfile);
      expect(output).toMatch(/\x1b\[0Ksection_start:\d+:tbuild_\d+_(\d+)\[collapsed=true\]\r\x1b\[0K.*RUN echo good/);
      expect(output).toMatch(/\x1b\[0Ksection_start:\d+:tbuild_\d+_(\d+)\r\x1b\[0K.*RUN echo bad.*ERROR/);
      // Nothing else moves the cursor.
      expect(output.replaceAll(/\x1b\[0Ksection_[^\r]*\r\x1b\[0K/g, '')).not.toContain('\r');
    });
  },
);
