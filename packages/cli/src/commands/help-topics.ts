/** A page of `tbuild help TOPIC`. */
export interface Topic {
  readonly title: string;
  readonly text: string;
}

/** What people search for, shortly, with commands to copy. The pages in docs/ say more. */
export const topics: Readonly<Record<string, Topic>> = {
  cache: {
    title: 'Why a step runs again, and caches between machines',
    text: `A step is cached by its instruction, the result of the step before it, and the content of the files that it reads.
Copy what changes seldom first (package.json), the rest of the sources later.

  tbuild --explain .                    why each step that ran was not cached
  tbuild --no-cache .                   run every step
  tbuild --cache-to type=registry,ref=registry.example/app:cache,mode=max \\
         --cache-from type=registry,ref=registry.example/app:cache .

Package managers keep their downloads in a cache mount: RUN --mount=type=cache,target=/root/.npm npm ci`,
  },
  ci: {
    title: 'Builds in CI: no daemon, no privileges',
    text: `tbuild is one program: call it in the job's own container.

  tbuild -t registry.example/app:1 --push .
  tbuild --metadata-file build.json --iidfile id .
  tbuild --progress plain .             the default without a terminal; in GitLab, sections
  tbuild -o type=local,dest=reports,from=/app/reports,when=always .
  tbuild gitlab-ci --write              a pipeline for GitLab
  tbuild doctor                         what this container allows`,
  },
  context: {
    title: 'Which files a build sees',
    text: `COPY sees the files of the context without those that .dockerignore names.

  tbuild -f docker/prod.Dockerfile .                  another Dockerfile
  tbuild https://github.com/owner/app.git#v1:dir      a directory at a tag
  tbuild --build-context base=oci-layout://./base .   FROM base is this image
  tbuild --ignorefile ci.dockerignore .               instead of .dockerignore

A file that COPY does not find is often in .dockerignore: the error says so.`,
  },
  debug: {
    title: 'When a step fails',
    text: `On a terminal, a failed step asks: [s]hell [r]etry [l]og [q]uit. Later:

  tbuild debug                          a shell in the step that failed last
  tbuild debug --at 12 --before         what line 12 saw
  tbuild builds ls                      earlier builds; show, logs, open
  tbuild -o type=local,dest=out,from=/app/reports,when=failure .
  tbuild --on-error exit .              never ask`,
  },
  output: {
    title: 'Where the result goes',
    text: `Without an option the image is kept in the store of tbuild, under its name.

  tbuild -t app:1 --load .              into Docker or Podman
  tbuild -t registry.example/app:1 --push .
  tbuild -o type=oci,dest=app.tar .     an archive; type=docker for docker load
  tbuild -o out .                       the files of the image
  tbuild --target test -o type=cacheonly .   only run the steps`,
  },
  platforms: {
    title: 'Images for other processors',
    text: `  tbuild --platform linux/amd64,linux/arm64 -t registry.example/app:1 --push .

RUN of another processor needs qemu-user-static. It is slow: build on this processor and copy the result instead,
with FROM --platform=$BUILDPLATFORM, and $TARGETARCH for the compiler.`,
  },
  registry: {
    title: 'Credentials, mirrors and private registries',
    text: `Credentials are those of docker login and podman login, and of credential helpers.

  tbuild login registry.example
  tbuild --registry-mirror mirror.example .                asked first for images of Docker Hub
  tbuild --insecure-registry registry.local:5000 .         plain HTTP, or HTTPS without verification
  tbuild --registry-certificate registry.local=ca.pem .    certificates to trust`,
  },
  rootless: {
    title: 'Builds without root',
    text: `tbuild needs no root. An ordinary user needs subordinate ids (/etc/subuid, newuidmap) to make files of several owners.

  tbuild doctor                         what is missing, and how to get it
  tbuild --isolation chroot .           in a container that allows no namespaces
  tbuild --fake-ids .                   pretend owners where there is a single id`,
  },
  secrets: {
    title: 'Passwords and keys in steps',
    text: `Never in ARG or ENV: they stay in the image. A secret is mounted for one step. No layer or record contains it.

  tbuild --secret id=token,env=TOKEN .
  tbuild --secret id=npmrc,src=$HOME/.npmrc .
  tbuild --ssh default .

In the Dockerfile: RUN --mount=type=secret,id=token,env=TOKEN ./download
                   RUN --mount=type=ssh git clone git@example.com:app`,
  },
  space: {
    title: 'What takes space, and how to free it',
    text: `  tbuild du -v                          the store, entry by entry
  tbuild images                         images; rmi removes one
  tbuild prune --filter until=24h       build cache that was not used for a day
  tbuild prune --max-used-space 10GB
  tbuild prune --all                    the whole build cache

The cache shrinks by itself above 100 GB, or 80 % of the disk, and when the disk is nearly full: TBUILD_MAX_USED_SPACE
and TBUILD_MIN_FREE_SPACE set other limits.`,
  },
};
