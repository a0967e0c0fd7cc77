import type { Catalogue } from '../../core/metrics/define.ts';
import type { Handle, Handles } from '../../core/metrics/handles.ts';
import type { AnyRecordKind, OpenedRecords } from '../../core/records.ts';
import { SeenEvents } from '../../core/seen.ts';
import { DUPLICATE, isRejected, type OpenedSource, type Rejected, type SourceContext } from '../../core/source.ts';
import { sizeBytes } from '../../lib/size.ts';
import { Channel } from './channel.ts';
import { cloudEvents } from './cloudevents.ts';
import { type IngestConfig, RECEIVERS } from './config.ts';
import type { Counted, IngestItem, Pushed } from './item.ts';
import { type Format, openReceiver } from './receive.ts';

/** Bytes of requests that wait, at most; one alone may have more. */
const MOST_BYTES = 64 * 1024 * 1024;

const FORMATS: Readonly<Record<keyof IngestConfig, (now: () => number) => Format>> = { cloudevents: cloudEvents };

/** The metrics of all kinds of records, by names that tell whose they are. */
export function catalogueOf(kinds: readonly AnyRecordKind[]): Catalogue {
  const entries = kinds.flatMap(({ type, metrics }) =>
    Object.entries(metrics).map(([key, def]) => [`${type} ${key}`, def] as const),
  );
  return Object.fromEntries(entries);
}

/** Opens the source: what is pushed is counted once, whichever receiver takes it, and however often it is sent. */
export function openIngest(
  config: IngestConfig,
  context: SourceContext<Catalogue>,
  kinds: readonly AnyRecordKind[],
): OpenedSource<IngestItem, Counted> {
  const { name, now, follow, signal, commit = async () => {} } = context;
  const records = kinds.map((kind) => ({ kind, opened: openKind(kind, context) }));
  const seen = new SeenEvents({ gather: true });
  const on = RECEIVERS.flatMap((one) => (config[one] === null ? [] : [{ one, section: config[one] }]));
  const mostBytes = Math.max(MOST_BYTES, ...on.map(({ section }) => sizeBytes(section.max_body)));
  const channel = new Channel({ mostBytes, commit, signal });
  const receivers = on.map(({ one, section }) =>
    openReceiver({ format: FORMATS[one](now), config: section, channel, context }),
  );
  const counted = new WeakMap<IngestItem, Counted>();

  function countedOf(pushed: Pushed): Counted | Rejected {
    for (const { kind, opened } of records) {
      const record = kind.claims(pushed.data);
      if (record === null) continue;
      const item = opened.parse(record, pushed);
      return isRejected(item) ? item : countedRecord(opened, item);
    }
    return { time: pushed.time, observe: () => {}, event: () => pushed.event(name) };
  }

  return {
    read: () => (follow ? channel.batches() : nothing()),
    parse: (raw) => {
      const { found, verdict } = raw;
      const item = isRejected(found) ? found : countedOf(found);
      verdict[isRejected(item) ? 'bad' : 'good'] += 1;
      // What was refused may come again, repaired.
      if (isRejected(found) || isRejected(item)) return item as Rejected;
      if (seen.isRepeated(found.identity)) return DUPLICATE;
      counted.set(raw, item);
      return item;
    },
    observe: (item) => item.observe(),
    timeOf: (raw) => counted.get(raw)?.time ?? null,
    event: (item) => item.event(),
    excerpt: ({ text }) => text,
    restore: (entries) => seen.restore(entries),
    changes: () => {
      // All that was seen until a commit begins is saved by it, together with what it added.
      seen.conclude(true, now());
      return seen.takeChanges();
    },
    receivers: receivers.map(({ receiver }) => receiver),
    remarks: () => receivers.map(({ remark }) => remark()),
  };
}

function countedRecord(opened: OpenedRecords<object>, item: object): Counted {
  return {
    time: opened.timeOf(item),
    observe: () => opened.observe(item),
    event: () => opened.event(item),
  };
}

function openKind(kind: AnyRecordKind, context: SourceContext<Catalogue>): OpenedRecords<object> {
  // Registered under the names of `catalogueOf`.
  const all = context.metrics as Readonly<Record<string, Handle<Catalogue[string]>>>;
  const own = Object.keys(kind.metrics).map((key) => [key, all[`${kind.type} ${key}`]] as const);
  return kind.open({ ...context, metrics: Object.fromEntries(own) as unknown as Handles<Catalogue> });
}

/** What is pushed was never there before: a look at the past finds none of it. */
async function* nothing() {
  yield { items: [], position: null, bytes: 0 };
}
