import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openBrowser, type Page } from '../../support/browser.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, buildInline, good, runTbuild, writeFiles } from '../../support/tbuild.ts';

/** For people to look at. */
const screenshots = join(import.meta.dirname, '../../screenshots');
mkdirSync(screenshots, { recursive: true });

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** All rules on one screen; on another the rules that depend on its width and colours, which covers the rest. */
const SCREENS = [
  { width: 1280, dark: false, rules: '{}' },
  { width: 1280, dark: true },
  { width: 400, dark: false },
  { width: 400, dark: true, rules: `{ runOnly: ['color-contrast', 'scrollable-region-focusable'] }` },
];

/** Where the tab of the view that is shown ends. */
const END_OF_TAB = `document.querySelector('[aria-selected=true]').getBoundingClientRect().right`;

/** The width of A4 between its margins, in pixels. */
const PAPER = 718;

const stages = Array.from({ length: 6 }, (_, stage) => [
  `FROM busybox AS s${stage}`,
  ...Array.from({ length: 9 }, (__, step) => `RUN echo ${stage} ${step} > /f${step}`),
]).flat();

const files = {
  Dockerfile: [
    ...stages,
    'FROM s0 AS app',
    `RUN printf '\\033[31mred\\033[0m\\n<b>bold</b>\\n'; head -c 2000000 /dev/zero | tr '\\0' x > /waste`,
    `RUN rm /waste; mkdir -p /app/node_modules/.cache; head -c 1500000 /dev/zero > /app/node_modules/.cache/x`,
    ...Array.from({ length: 5 }, (_, stage) => `COPY --from=s${stage + 1} /f8 /of/${stage}`),
    'COPY data /data',
    'MAINTAINER nobody',
    '',
  ].join('\n'),
  ...Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`data/${at % 7}/${at}`, `content ${at}`])),
};

/** Shows a view and waits until it is drawn. */
async function show(page: Page, fragment: string): Promise<string> {
  await page.evaluate(`location.hash = ${JSON.stringify(fragment)}`);
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  return page.evaluate<string>(`document.querySelector('#view').innerText`);
}

test(
  'a page shows the timeline, graph, reasons, layers, logs and lines of a build of 60 steps',
  needs('chromium'),
  async () => {
    const report = join(scratchDirectory('report'), 'build.html');
    const args = ['--tag', 'test/report:1', '--provenance', 'mode=max', '--sbom', 'true', '--report', report];
    good(await buildInline(files, { args }));
    const text = readFileSync(report, 'utf8');
    expect(statSync(report).size).toBeLessThan(1_000_000);
    expect(text).not.toMatch(/(?:src|href)="?https?:/);

    await using page = await openBrowser();
    await page.open(`file://${report}`);
    expect(await page.evaluate('document.title')).toBe('test/report:1');
    expect(await page.evaluate(`document.querySelector('.summary').innerText`)).toMatch(
      /^built in [\d.]+\u00a0s · \d+ steps, 0 cached · .* UTC · [\d.]+\u00a0MB of files$/,
    );
    expect(await show(page, 'timeline')).toContain('[app 1/8] RUN printf');
    expect(await page.evaluate(`document.querySelectorAll('.lane').length`)).toBeGreaterThan(60);
    expect(await page.evaluate(`document.querySelectorAll('.names .critical').length`)).toBeGreaterThan(5);
    const first = await page.evaluate<number>(
      `JSON.parse(document.getElementById('data').textContent).build.steps.findIndex(({ name }) => name.includes('printf'))`,
    );
    expect(await show(page, `timeline/${first}`)).toMatch(
      /built in .*, 2\u00a0MB of files\. It ran because it is new\./,
    );
    await show(page, 'graph');
    expect(await page.evaluate(`document.querySelectorAll('.node').length`)).toBeGreaterThan(60);
    expect(await page.evaluate(`document.querySelectorAll('.edge.source').length`)).toBe(5);
    expect(await show(page, 'why')).toMatch(/RUN echo 3 4 > \/f4\s+it is new/);
    const layers = await show(page, 'layers');
    expect(layers).toContain('/app/node_modules/.cache: 1.5\u00a0MB; add it to .dockerignore, or use a cache mount');
    expect(layers).toContain('Files that a later layer deletes or replaces: 2\u00a0MB');
    await page.evaluate(
      `[...document.querySelectorAll('.tile > button')].find((one) => one.innerText.startsWith('app')).click()`,
    );
    expect(await show(page, 'layers')).toMatch(/node_modules/);
    expect(await show(page, `logs/${first}/2`)).toMatch(/red[\s\S]*<b>bold<\/b>/);
    expect(await page.evaluate(`document.querySelector('.asked').innerText`)).toContain('<b>bold</b>');
    expect(await page.evaluate(`getComputedStyle(document.querySelector('.ansi-red')).color`)).toBe('rgb(198, 47, 47)');
    await page.press('/');
    expect(await page.evaluate('document.activeElement.id')).toBe('search');
    expect(await show(page, 'dockerfile')).toMatch(/MAINTAINER nobody\s+MaintainerDeprecated/);
    expect(await show(page, 'details')).toMatch(/Packages of linux\/amd64|slsa\.dev/);
    await page.evaluate(`document.querySelector('[role=tab]').focus()`);
    await page.press('ArrowRight');
    expect(await page.evaluate(`document.activeElement.innerText + location.hash`)).toBe('Graph#graph');

    const places = ['timeline', 'graph', 'why', 'layers', `logs/${first}/2`, 'dockerfile', 'details'];
    for (const { width, dark, rules } of SCREENS) {
      await page.resize(width, 900, { dark });
      await page.evaluate(axe);
      for (const place of places) {
        await show(page, place);
        const [name] = place.split('/');
        await page.screenshot(join(screenshots, `report-${name}-${width}-${dark ? 'dark' : 'light'}.png`));
        expect.soft(await page.evaluate('document.documentElement.scrollWidth'), `${place} at ${width}`).toBe(width);
        expect.soft(await page.evaluate(END_OF_TAB), `${place} at ${width}`).toBeLessThanOrEqual(width);
        if (rules === undefined) continue;
        const violations = await page.evaluate<string[]>(
          `axe.run(document, ${rules}).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))`,
        );
        expect.soft(violations, `${place} at ${width}`).toEqual([]);
      }
    }
    for (const place of places) {
      await page.resize(PAPER, 900, { dark: true, print: true });
      await show(page, place);
      const [name] = place.split('/');
      expect.soft(await page.evaluate('document.documentElement.scrollWidth'), `${name} on paper`).toBe(PAPER);
      const style = 'getComputedStyle(document.body)';
      expect
        .soft(await page.evaluate(`${style}.backgroundColor + ${style}.colorScheme`))
        .toBe('rgb(255, 255, 255)light');
      await page.print(join(screenshots, `report-${name}.pdf`));
    }
    expect(page.complaints).toEqual([]);
  },
);

test('a page shows what a failed build said, and runs nothing that its output says', needs('chromium'), async () => {
  const report = join(scratchDirectory('report'), 'failed.html');
  const hostile = `</script><script>document.title = 'taken'</script><img src=x onerror=alert(1)>`;
  const build = await buildInline(
    { Dockerfile: `FROM busybox\nRUN echo "${hostile}"; exit 3\n` },
    { args: ['--report', report] },
  );
  expect(build.exitCode).toBe(1);
  await using page = await openBrowser();
  await page.open(`file://${report}`);
  expect(await page.evaluate(`document.querySelector('#view .error').innerText`)).toContain('exit code: 3');
  await show(page, 'logs');
  expect(await page.evaluate('document.title')).not.toBe('taken');
  expect(await page.evaluate(`document.querySelector('#view').innerText`)).toContain('exit code: 3');
  expect(await page.evaluate(`document.querySelector('.log').innerText`)).toContain(hostile.slice(0, 9));
  expect(await page.evaluate('document.images.length')).toBe(0);
  expect(page.complaints).toEqual([]);
});

test(
  'pages of recorded builds compare with the build before, and images have pages too',
  needs('chromium'),
  async () => {
    const directory = scratchDirectory('pages');
    const file = (name: string): string => join(directory, name);
    const several = (text: string) => Object.fromEntries([1, 2, 3, 4, 5].map((name) => [`d/${name}`, text]));
    const Dockerfile = 'FROM busybox\nCOPY a /a\nRUN cat /a\nCOPY d /d\n';
    const context = writeFiles({ Dockerfile, a: 'one', ...several('one') });
    const args = (tag: string): string[] => ['--tag', `test/pages:${tag}`];
    const { store } = good(await buildContext(context, { args: args('1') }));
    writeFiles({ a: 'two', ...several('two') }, context);
    good(await buildContext(context, { args: args('2') }));
    const run = async (...words: string[]) => good(await runTbuild(words, { store }));
    expect((await run('builds', 'open', '--output', file('build.html'))).stdout).toBe(`${file('build.html')}\n`);
    await run('inspect', '--html', file('image.html'), 'test/pages:2');
    await run('diff', '--html', file('diff.html'), 'test/pages:1', 'test/pages:2');
    const words = ['verify', '--pair', '--html', file('pair.html'), 'test/pages:1', 'test/pages:2'];
    expect(await runTbuild(words, { store })).toMatchObject({ exitCode: 1, stderr: '' });

    await using page = await openBrowser();
    await page.open(`file://${file('build.html')}`);
    expect(await show(page, 'why')).toMatch(/COPY a \/a\s+file a changed/);
    const changes = `[...document.querySelectorAll('details li')].map(({ textContent }) => textContent)`;
    expect(await page.evaluate(changes)).toEqual([
      'a step before it ran again',
      ...[1, 2, 3, 4, 5].map((name) => `file d/${name} changed`),
    ]);
    expect(await show(page, 'compare')).toMatch(/RUN cat \/a\s+built, .*\s+built, /);
    await page.open(`file://${file('image.html')}`);
    expect(await page.evaluate(`document.querySelector('#view').innerText`)).toMatch(/COPY a \/a/);
    await page.open(`file://${file('diff.html')}`);
    expect(await show(page, 'details')).toMatch(/changed\s+\/a/);
    await page.open(`file://${file('pair.html')}`);
    expect(await page.evaluate('document.title')).toBe('test/pages:1 and test/pages:2: different');
    expect(await show(page, 'details')).toMatch(/COPY a \/a.*\s+\/a\s+content/);
    expect(page.complaints).toEqual([]);
  },
);
