import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixDockerfile } from '@tbuild/dockerfile/fix';
import { TbuildError } from '@tbuild/errors';
import { expect, test } from 'vitest';
import { planText } from './support/plan-text.ts';
import { seededRandom } from './support/random.ts';

// A corrected Dockerfile builds the same: the same steps on the same inputs, configuration and history.
const root = join(import.meta.dirname, '../fixtures/dockerfiles');

/** Returns what is built. Lines, warnings and the names of steps follow the text. */
async function built(text: string): Promise<unknown> {
  const plan = await planText(text);
  if (typeof plan === 'string') return plan.replace(/^.*?:.*? /, '');
  const { warnings: _, steps, ...rest } = plan;
  return { ...rest, steps: steps.map(({ name: _name, line: _line, ...step }) => step) };
}

function fixed(text: string): ReturnType<typeof fixDockerfile> | undefined {
  try {
    return fixDockerfile(text);
  } catch (error) {
    if (error instanceof TbuildError) return undefined;
    throw error;
  }
}

async function expectSame(text: string): Promise<void> {
  const made = fixed(text);
  if (made === undefined || made.text === text) return;
  expect(await built(made.text), JSON.stringify(text)).toEqual(await built(text));
  expect(fixDockerfile(made.text)).toEqual({ text: made.text, fixed: [] });
}

test.each(readdirSync(root))('the corrected Dockerfile of %s builds the same', async (name) => {
  const text = readFileSync(join(root, name, 'Dockerfile'), 'utf8');
  // Its author becomes a label.
  await expectSame(text.replaceAll(/^maintainer .*$/gim, ''));
});

const LINES = [
  'from base as One',
  'FROM base AS two',
  'From One as Three',
  'FROM --platform=$TARGETPLATFORM base as Four',
  'run echo a',
  'RUN echo b \\\n\n  && echo c',
  'Run --mount=type=bind,from=ONE,target=/x echo $A',
  'RUN <<EOF\necho "$A"\n\n  echo\nEOF',
  'COPY --from=One /a /b',
  'copy --from=Three "/a b" /c/',
  'ENV A b',
  'env A b  c',
  'ENV A "b  c" d',
  "ENV A 'x' y\\ z",
  'ENV A $B "',
  'ENV A ${B:-x y}$C \\\n\n  z',
  'ENV A=1 B="2 3"',
  'LABEL a b c',
  'label "a" b',
  'EXPOSE 80/TCP 90/$A',
  'expose 80/Tcp/UDP',
  'WORKDIR a',
  'cmd echo',
  'Entrypoint ["a"]',
  'ONBUILD env A b c',
  '# check=skip=all',
  '# a comment',
  '',
];

test('corrected random Dockerfiles build the same', async () => {
  const random = seededRandom(7);
  for (let count = 0; count < 400; count++) {
    const lines = Array.from({ length: 2 + random.int(9) }, () => random.pick(LINES));
    const begin = random.pick(['', '', '# escape=`\n', '\ufeff']) + random.pick(['FROM base', 'from base as One']);
    const text = `${begin}\n${lines.join('\n')}\n`;
    await expectSame(random.int(3) === 0 ? text.replaceAll('\n', '\r\n') : text);
  }
});
