import { render } from 'preact';
import type { ReportData } from '../report-data.ts';
import { App } from './app.tsx';

const data: ReportData = JSON.parse(document.getElementById('data')?.textContent ?? '');
const page = document.getElementById('page');
if (page !== null) {
  page.replaceChildren();
  render(<App data={data} />, page);
}
