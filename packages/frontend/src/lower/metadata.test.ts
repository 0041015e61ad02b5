import { expect, test } from 'vitest';
import { planText } from '../../test/plan-text.ts';

const histories: [name: string, text: string, history: string[]][] = [
  ['ENV', 'ENV a=1 b="x y"', ['ENV a=1 b=x y']],
  ['ENV sees what was before it', 'ENV a=1\nENV a=2 b=$a', ['ENV a=1', 'ENV a=2 b=1']],
  ['old ENV', 'ENV a b  c', ['ENV a=b  c']],
  ['LABEL', 'LABEL "a b"=1 c=2', ['LABEL a b=1 c=2']],
  ['ARG', 'ARG a=1 b', ['ARG a=1 b']],
  ['ARG from the command line', 'ARG GIVEN=1', ['ARG GIVEN=yes']],
  ['ARG after ARG', 'ARG a=1 b=$a', ['ARG a=1 b=1']],
  ['ARG of the platform', 'ARG TARGETARCH', ['ARG TARGETARCH=amd64']],
  ['CMD exec', 'CMD ["a", "b c"]', ['CMD ["a" "b c"]']],
  ['CMD shell', 'CMD a "b"', ['CMD ["/bin/sh" "-c" "a \\"b\\""]']],
  ['ENTRYPOINT empty', 'ENTRYPOINT []', ['ENTRYPOINT []']],
  ['SHELL', 'SHELL ["/bin/bash", "-c"]\nCMD a', ['SHELL [/bin/bash -c]', 'CMD ["/bin/bash" "-c" "a"]']],
  ['USER', 'ENV u=me\nUSER $u', ['ENV u=me', 'USER me']],
  ['STOPSIGNAL', 'STOPSIGNAL SIGRTMIN+3', ['STOPSIGNAL SIGRTMIN+3']],
  ['MAINTAINER', 'MAINTAINER a <b> $c', ['MAINTAINER a <b> $c']],
  ['VOLUME', 'ENV v="/x y"\nVOLUME /a $v', ['ENV v=/x y', 'VOLUME [/a /x y]']],
  [
    'EXPOSE',
    'ENV p="90 91/udp"\nEXPOSE 80-82/TCP $p',
    ['ENV p=90 91/udp', 'EXPOSE [90/tcp 91/udp 80/tcp 81/tcp 82/tcp]'],
  ],
  ['EXPOSE with host', 'EXPOSE 127.0.0.1:8080:80 [::1]:1:81', ['EXPOSE [80/tcp 81/tcp]']],
  [
    'HEALTHCHECK NONE',
    'HEALTHCHECK NONE',
    ['HEALTHCHECK {Test:[NONE] Interval:0s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}'],
  ],
  [
    'HEALTHCHECK',
    'HEALTHCHECK --interval=5m --timeout=1.5s --retries=3 CMD curl -f x',
    ['HEALTHCHECK {Test:[CMD-SHELL curl -f x] Interval:5m0s Timeout:1.5s StartPeriod:0s StartInterval:0s Retries:3}'],
  ],
  [
    'HEALTHCHECK exec',
    'HEALTHCHECK CMD ["a", "b"]',
    ['HEALTHCHECK {Test:[CMD a b] Interval:0s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}'],
  ],
  ['ONBUILD', 'ONBUILD RUN x', []],
];

test.each(histories)('the history of %s is that of Docker', async (_name, text, history) => {
  const { plan } = await planText(`FROM busybox\n${text}`, { buildArgs: { GIVEN: 'yes' } });
  expect(plan.history.map(({ createdBy }) => createdBy)).toEqual(history);
  expect(plan.history.every(({ step }) => step === undefined)).toBe(true);
});

const configs: [name: string, base: string, text: string, config: object][] = [
  ['ENV replaces in place', 'app', 'ENV NEW=1 PATH=/x', { Env: ['PATH=/x', 'MODE=base', 'NEW=1'] }],
  [
    'PATH where there is none',
    'bare',
    '',
    {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    },
  ],
  [
    'scratch',
    'scratch',
    '',
    {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      WorkingDir: '/',
    },
  ],
  ['LABEL adds', 'app', 'LABEL b=2', { Labels: { a: '1', b: '2' } }],
  ['CMD', 'app', 'CMD ["x"]', { Cmd: ['x'], Entrypoint: ['/entry'], ArgsEscaped: true }],
  ['CMD empty', 'app', 'CMD []', { Cmd: undefined, ArgsEscaped: true }],
  ['ENTRYPOINT clears an inherited CMD', 'app', 'ENTRYPOINT ["x"]', { Entrypoint: ['x'], Cmd: undefined }],
  ['ENTRYPOINT keeps the own CMD', 'app', 'CMD ["c"]\nENTRYPOINT ["x"]', { Entrypoint: ['x'], Cmd: ['c'] }],
  ['EXPOSE', 'app', 'EXPOSE 80 80/tcp 53/udp', { ExposedPorts: { '80/tcp': {}, '53/udp': {} } }],
  ['VOLUME', 'app', 'VOLUME ["/a b"]', { Volumes: { '/a b': {} } }],
  ['HEALTHCHECK', 'app', 'HEALTHCHECK --retries=2 CMD x', { Healthcheck: { Test: ['CMD-SHELL', 'x'], Retries: 2 } }],
  ['ONBUILD', 'app', 'ONBUILD RUN a\nONBUILD COPY . .', { OnBuild: ['RUN a', 'COPY . .'] }],
  ['ARG leaves the config alone', 'app', 'ARG MODE=arg', { Env: ['PATH=/bin', 'MODE=base'] }],
];

test.each(configs)('the config is that of Docker: %s', async (_name, base, text, config) => {
  const { plan } = await planText(`FROM ${base}\n${text}`);
  expect(plan.config).toMatchObject(config);
});

test('labels from the command line come last and are not in the history', async () => {
  const { plan } = await planText('FROM app\nLABEL b=2', { labels: { a: 'given', c: '3' } });
  expect(plan.config.Labels).toEqual({ a: 'given', b: '2', c: '3' });
  expect(plan.history).toHaveLength(1);
});

const refused: [text: string, message: string, column: number][] = [
  ['STOPSIGNAL SIGFOO', 'Invalid signal: SIGFOO', 12],
  ['STOPSIGNAL 0', 'Invalid signal: 0', 12],
  ['EXPOSE 80/http', 'Port "80/http" is not valid', 8],
  ['EXPOSE 70000', 'Port "70000" is not valid', 8],
  ['EXPOSE 1.2.3.256:1:1', '"1.2.3.256" is not an IP address', 8],
  ['EXPOSE 1-4:5-6', 'Port "1-4:5-6" is not valid: the ranges have different lengths', 8],
  ['VOLUME $unset', 'Volume "$unset" is blank after expansion', 8],
  ['USER ${u:?who}', 'who', 6],
];

test.each(refused)('%s is refused', async (text, message, column) => {
  await expect(planText(`FROM busybox\n${text}`)).rejects.toMatchObject({
    code: 'DOCKERFILE_SEMANTICS',
    message: expect.stringContaining(message),
    location: { start: { line: 2, column } },
  });
});
