import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import { formatBytes, formatTime } from '../format.ts';
import type { BuildFacts, ReportData } from '../report-data.ts';
import { CompareView } from './compare.tsx';
import { DetailsView } from './details.tsx';
import { DockerfileView } from './dockerfile.tsx';
import { GraphView } from './graph.tsx';
import { LayersView } from './layers.tsx';
import { LogsView } from './logs.tsx';
import { hrefOf, type Place, usePlace } from './place.ts';
import { TimelineView } from './timeline.tsx';
import { WhyView } from './why.tsx';

interface View {
  readonly id: string;
  readonly title: string;
  show(place: Place): ComponentChildren;
}

export function App({ data }: { readonly data: ReportData }): JSX.Element {
  const views = viewsOf(data);
  const place = usePlace(views.map(({ id }) => id));
  const current = views.find(({ id }) => id === place.view) ?? views[0];
  return (
    <>
      <header>
        <h1>{data.title}</h1>
        <Summary data={data} />
        <nav>
          <Tabs views={views} current={current} />
        </nav>
      </header>
      <main>
        <div id="view" role="tabpanel" aria-labelledby={`tab-${current?.id}`} tabIndex={0}>
          {current?.show(place)}
        </div>
      </main>
      <footer>{data.madeBy}</footer>
    </>
  );
}

function viewsOf({ build, images, tables }: ReportData): readonly View[] {
  const views: (View | false)[] = [
    ...(build === undefined
      ? []
      : [
          { id: 'timeline', title: 'Timeline', show: ({ step }: Place) => timelineOf(build, step) },
          { id: 'graph', title: 'Graph', show: () => <GraphView build={build} /> },
          { id: 'why', title: 'Why', show: () => <WhyView build={build} /> },
        ]),
    images.length > 0 && { id: 'layers', title: 'Layers', show: () => <LayersView images={images} /> },
    ...(build === undefined
      ? []
      : [
          { id: 'logs', title: 'Logs', show: (place: Place) => <LogsView build={build} place={place} /> },
          { id: 'dockerfile', title: 'Dockerfile', show: () => <DockerfileView build={build} /> },
        ]),
    tables.length > 0 && { id: 'details', title: 'Details', show: () => <DetailsView tables={tables} /> },
    build?.before !== undefined && { id: 'compare', title: 'Compare', show: () => <CompareView build={build} /> },
  ];
  return views.filter((view) => view !== false);
}

/** A page about a failed build opens with why. */
function timelineOf(build: BuildFacts, step: Place['step']): JSX.Element {
  return (
    <>
      {build.error !== undefined && <pre class="error">{build.error}</pre>}
      <TimelineView build={build} step={step} />
    </>
  );
}

function Summary({ data: { build, images } }: { readonly data: ReportData }): JSX.Element {
  const size = images.reduce((sum, { layers }) => sum + layers.reduce((all, { tree }) => all + tree[1], 0), 0);
  const parts = build === undefined ? [] : buildParts(build);
  if (images.length > 0) parts.push(`${formatBytes(size)} of files`);
  return (
    <p class="summary">
      {build !== undefined && <strong class={`outcome ${build.outcome}`}>{build.outcome}</strong>} {parts.join(' · ')}
    </p>
  );
}

function buildParts({ startedAt, finishedAt, steps }: BuildFacts): string[] {
  const cached = steps.filter(({ outcome }) => outcome === 'cached').length;
  const date = new Date(startedAt).toISOString().slice(0, 16).replace('T', ' ');
  return [`in ${formatTime(finishedAt - startedAt)}`, `${steps.length} steps, ${cached} cached`, `${date} UTC`];
}

function Tabs({ views, current }: { readonly views: readonly View[]; readonly current?: View }): JSX.Element {
  useLayoutEffect(() => showTab(document.getElementById(`tab-${current?.id}`)), [current?.id]);
  const move = (event: KeyboardEvent, at: number): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const next = views[(at + step + views.length) % views.length];
    if (step === 0 || next === undefined) return;
    event.preventDefault();
    location.hash = hrefOf({ view: next.id });
    document.getElementById(`tab-${next.id}`)?.focus();
  };
  return (
    <div role="tablist" aria-label="Views">
      {views.map(({ id, title }, at) => (
        <button
          key={id}
          id={`tab-${id}`}
          role="tab"
          aria-selected={id === current?.id}
          aria-controls="view"
          tabIndex={id === current?.id ? 0 : -1}
          onClick={() => (location.hash = hrefOf({ view: id }))}
          onKeyDown={(event) => move(event, at)}
        >
          {title}
        </button>
      ))}
    </div>
  );
}

/** Scrolls the tabs of a narrow window so that one is in the middle, and nothing else. */
function showTab(tab: HTMLElement | null): void {
  const tabs = tab?.parentElement;
  if (!tab || !tabs) return;
  tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2;
}
