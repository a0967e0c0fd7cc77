import type { Remark } from '../core/source.ts';
import type { SourceStatus } from '../core/source-figures.ts';
import type { Status } from '../core/status.ts';
import type { WriterStatus } from '../core/writer.ts';
import { age, bytes, count, foreign, moment, seconds } from './page-text.ts';

/** What a source does, as a card. */
export function sourceCard(source: SourceStatus, now: number): string {
  const { lastEvent, lag } = source;
  return card(source, now, [
    figures([
      ['Events since the start', count(source.events)],
      ['Events a second', count(source.rate, 1)],
      ['Rejected since the start', count(source.rejected)],
      ['Newest event', lastEvent === null ? 'none yet' : `${age(now - lastEvent)} ago`],
      ['Lag: its age when read', lag === null ? 'not known' : seconds(lag)],
    ]),
    remarkList(source.remarks),
  ]);
}

/** What each writer does; nothing where there is none. */
export function writersSection({ writers, now }: Status): string {
  if (writers.length === 0) return '';
  return `<section aria-labelledby="writers">
<h2 id="writers">Writers</h2>
<div class="cards">
${writers.map((writer) => writerCard(writer, now)).join('\n')}
</div>
</section>
`;
}

/** A queue that is so full is worth a look. */
const NEARLY_FULL = 0.8;

function writerCard(writer: WriterStatus, now: number): string {
  const { queue, deadLetters } = writer;
  return card(writer, now, [
    figures([
      ['Delivered since the start', count(writer.events)],
      ['Events a second', count(writer.rate, 1)],
      ['Waiting events', count(queue.events)],
      ['Waiting on disk, of its limit', `${bytes(queue.bytes)} of ${bytes(queue.limit)}`],
      ['Dropped since the start', count(writer.dropped)],
    ]),
    queue.bytes >= NEARLY_FULL * queue.limit
      ? '<p class="note bad"><b>Nearly full:</b> over the limit, the oldest events that wait are dropped.</p>'
      : '',
    deadLetters === null ? '' : `<p class="note"><b>Refused events</b> are kept in ${foreign(deadLetters)}</p>`,
  ]);
}

type State = SourceStatus['state'] | WriterStatus['state'];

const SIGNS: Readonly<Record<State, { readonly sign: string; readonly kind: string }>> = {
  starting: { sign: '◌', kind: 'idle' },
  reading: { sign: '●', kind: 'good' },
  delivering: { sign: '●', kind: 'good' },
  idle: { sign: '●', kind: 'good' },
  waiting: { sign: '▲', kind: 'bad' },
  ended: { sign: '■', kind: 'idle' },
};

/** What sources and writers have in common, around what they have not. */
function card(
  status: Pick<SourceStatus, 'name' | 'problem' | 'since' | 'lastError'> & { readonly state: State },
  now: number,
  parts: readonly string[],
): string {
  const { name, state, problem, since, lastError } = status;
  const { sign, kind } = SIGNS[state];
  return `<article>
<h3>${foreign(name)}</h3>
<p><strong class="${kind}"><span aria-hidden="true">${sign}</span> ${state}</strong> for ${age(now - since)}, since ${moment(since)}</p>
${problem === null ? '' : `<p class="note bad"><b>Problem:</b> ${foreign(problem)}</p>\n`}${parts.filter(Boolean).join('\n')}
<p class="note">${lastError === null ? 'No error since the start.' : `<b>Last error,</b> ${age(now - lastError.time)} ago: ${foreign(lastError.text)}`}</p>
</article>`;
}

function figures(list: readonly (readonly [term: string, value: string])[]): string {
  const items = list.map(([term, value]) => `<div><dt>${term}</dt><dd>${value}</dd></div>`);
  return `<dl>\n${items.join('\n')}\n</dl>`;
}

/** What asks for something to be done comes first. */
function remarkList(remarks: readonly Remark[]): string {
  if (remarks.length === 0) return '';
  const items = remarks
    .toSorted((a, b) => Number(b.bad) - Number(a.bad))
    .map(({ text, bad }) =>
      bad ? `<li class="bad"><b>To do:</b> ${foreign(text)}</li>` : `<li>${foreign(text)}</li>`,
    );
  return `<ul class="note" aria-label="Remarks">\n${items.join('\n')}\n</ul>`;
}
