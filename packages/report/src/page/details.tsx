import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ReportTable } from '../report-data.ts';

/** Rows that a table shows before the reader asks for more. */
const FIRST = 500;

/** Shows tables, such as provenance and packages, with a filter over all of them. */
export function DetailsView({ tables }: { readonly tables: readonly ReportTable[] }): JSX.Element {
  const [filter, setFilter] = useState('');
  const wanted = filter.toLowerCase();
  return (
    <section>
      <p class="bar">
        <label>
          Filter <input type="search" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
        </label>
      </p>
      {tables.map((table) => (
        <Rows
          key={table.title}
          {...table}
          rows={table.rows.filter((row) => row.some((cell) => cell.toLowerCase().includes(wanted)))}
        />
      ))}
    </section>
  );
}

export function Rows({ title, columns, rows }: ReportTable): JSX.Element {
  const [all, setAll] = useState(false);
  return (
    <div class="wide" tabIndex={0} role="group" aria-label={title}>
      <table>
        <caption>{title}</caption>
        <thead>
          <tr>
            {columns.map((column, at) => (
              <th key={column} scope="col" class={isAmount(rows[0]?.[at]) ? 'number' : undefined}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, all ? Infinity : FIRST).map((row, at) => (
            <tr key={at}>
              {row.map((cell, column) => (
                <td key={column} class={isAmount(cell) ? 'number' : undefined}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > FIRST && !all && <button onClick={() => setAll(true)}>Show all {rows.length}</button>}
    </div>
  );
}

/** Sizes stand below each other, and are never broken. */
function isAmount(cell = ''): boolean {
  return /^[\d.]+\s[kMGT]?B$/.test(cell);
}
