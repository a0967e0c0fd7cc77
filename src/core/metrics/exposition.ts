import { type Lendable, pack } from './body.ts';
import { ByteWriter, formatValue } from './bytes.ts';
import { bodyOf, type Family, type Format } from './family.ts';
import { escapeHelp } from './labels.ts';
import type { Registry } from './registry.ts';
import type { Collection } from './scrape.ts';
import type { SeriesTable } from './table.ts';

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** What an exposition shows. */
export interface ExpositionOptions {
  readonly format: Format;
  /** Whose collection this is, for what is kept per scraper. */
  readonly collection: Collection;
  /** Series that did not change for so long are left out, in milliseconds; 0 shows all. */
  readonly idleMs: number;
  readonly now: number;
  /** Text of further metrics, each line ended, to stand before the end. */
  readonly more?: string;
}

/** An exposition in pieces, which stay as they are until they are given back. */
export interface Exposition {
  readonly pieces: readonly Buffer[];
  /** The same as gzip members, made as they are asked for, and away from the event loop. */
  packed(): AsyncIterable<Buffer>;
  giveBack(): void;
}

/** Bytes that are put together before the event loop gets its turn. */
const SLICE_LENGTH = 256 * 1024;
/** Chunks that may have to be made anew before it does. */
const SLICE_CHUNKS = 4;
/** Shorter pieces are packed together. */
const PACKED_LENGTH = 64 * 1024;

/**
 * The whole exposition. It gives the event loop back between slices, so numbers of different series may be of slightly
 * different moments; whoever answers with them commits after this and before the answer.
 */
export async function expose(registry: Registry, options: ExpositionOptions): Promise<Exposition> {
  registry.settle();
  const sheet = new Sheet();
  for (const family of registry.families.values()) {
    sheet.head(head(family, options.format));
    // It stops after each piece of work, so that others can have their turn where that has become much.
    for (const _ of writeFamily(sheet, family, options)) if (sheet.isSliceFull()) await turn();
  }
  sheet.head('');
  sheet.writer().text(`${options.more ?? ''}${options.format === 'openmetrics' ? '# EOF\n' : ''}`);
  return sheet.end();
}

function turn(): Promise<void> {
  return new Promise(setImmediate);
}

/** Where an exposition is put together. */
class Sheet {
  readonly #pieces: { readonly bytes: Buffer; readonly lent: Lendable | null }[] = [];
  readonly #writer = new ByteWriter();
  #head = '';
  #chunks = 0;

  /** Title of what follows, for the case that anything does. */
  head(text: string): void {
    this.#head = text;
  }

  /** Where to write the next line. */
  writer(): ByteWriter {
    if (this.#head !== '') this.#writer.text(this.#head);
    this.#head = '';
    return this.#writer;
  }

  /** Adds the text of a chunk as it is now, or a piece of its own. */
  put(piece: Lendable | Buffer): void {
    this.writer();
    this.#flush();
    if (Buffer.isBuffer(piece)) this.#pieces.push({ bytes: piece, lent: null });
    else this.#pieces.push({ bytes: piece.bytes, lent: piece.lend() });
    this.#chunks += 1;
  }

  /** True from time to time: then it is time to let others work. */
  isSliceFull(): boolean {
    if (this.#writer.length < SLICE_LENGTH && this.#chunks < SLICE_CHUNKS) return false;
    this.#flush();
    this.#chunks = 0;
    return true;
  }

  end(): Exposition {
    this.#flush();
    const pieces = this.#pieces;
    return {
      pieces: pieces.map(({ bytes }) => bytes),
      packed: async function* () {
        let loose: Buffer[] = [];
        let length = 0;
        for (const { bytes, lent } of pieces) {
          const isKept = lent !== null && bytes.length >= PACKED_LENGTH;
          if (!isKept) length += loose.push(bytes) && bytes.length;
          if (length > 0 && (isKept || length >= PACKED_LENGTH)) {
            yield await pack(Buffer.concat(loose));
            loose = [];
            length = 0;
          }
          if (isKept) yield await lent.packed();
        }
        yield await pack(Buffer.concat(loose));
      },
      giveBack: () => {
        for (const { lent } of pieces) lent?.giveBack();
      },
    };
  }

  #flush(): void {
    if (this.#writer.length > 0) this.#pieces.push({ bytes: this.#writer.take(), lent: null });
  }
}

function writeFamily(sheet: Sheet, family: Family, options: ExpositionOptions): Iterable<void> {
  const { table, def } = family;
  if (!table) return writeGauge(sheet, family);
  if (def.type === 'since') return writeOwed(sheet, family, options);
  return def.type === 'counter'
    ? putCounter(sheet, family, table, options)
    : writeHistogram(sheet, family, table, options);
}

function* writeGauge(sheet: Sheet, { gauges, def }: Family): Generator<void> {
  for (const shown of gauges.values()) {
    for (const [text, value] of shown) {
      const writer = sheet.writer();
      writer.text(def.name + (text === '' ? ' ' : `{${text}} `));
      writer.value(value);
      writer.text('\n');
      yield;
    }
  }
}

function* writeOwed(sheet: Sheet, family: Family, { collection }: ExpositionOptions): Generator<void> {
  for (const { row, amount } of collection.collect(family)) {
    writeSample(sheet.writer(), family, row, '', amount);
    yield;
  }
}

/** A series that this scraper has not seen yet is shown at 0 once, so that `increase()` sees its first events. */
function* putCounter(sheet: Sheet, family: Family, table: SeriesTable, options: ExpositionOptions): Generator<void> {
  const { collection, format } = options;
  const body = bodyOf(family, table, format);
  const idleBefore = idleSince(options);
  for (let index = 0; index < body.length; index++) {
    const chunk = body.chunk(index, idleBefore);
    const isNew = chunk.newest >= collection.known;
    if (chunk.text.bytes.length === 0) continue;
    sheet.put(isNew ? body.withZeros(index, idleBefore, collection.known) : chunk.text);
    yield;
  }
}

function* writeHistogram(
  sheet: Sheet,
  family: Family,
  table: SeriesTable,
  options: ExpositionOptions,
): Generator<void> {
  const idleBefore = idleSince(options);
  for (let row = 0; row < table.length; row++) {
    if (!table.isShown(row) || table.touched[row]! < idleBefore) continue;
    writeBuckets(sheet.writer(), family, table, row, options);
    yield;
  }
}

function writeBuckets(
  writer: ByteWriter,
  family: Family,
  table: SeriesTable,
  row: number,
  { format, collection }: ExpositionOptions,
): void {
  const { buckets = [] } = family.def;
  const { values, width } = table.totals;
  const isNew = table.born[row]! >= collection.known;
  let count = 0;
  for (let i = 0; i <= buckets.length; i++) {
    count += isNew ? 0 : values[row * width + i]!;
    const bound = formatValue(buckets[i] ?? Number.POSITIVE_INFINITY);
    const le = format === 'openmetrics' && /^[0-9]+$/.test(bound) ? `${bound}.0` : bound;
    writeSample(writer, family, row, '_bucket', count, `le="${le}"`);
  }
  writeSample(writer, family, row, '_sum', isNew ? 0 : values[row * width + width - 1]!);
  writeSample(writer, family, row, '_count', count);
  if (format === 'openmetrics') writeSample(writer, family, row, '_created', table.created[row]! / 1000);
}

function writeSample(
  writer: ByteWriter,
  family: Family,
  row: number,
  suffix: string,
  value: number,
  label?: string,
): void {
  writer.text(family.def.name + suffix);
  family.labels(writer, row, label);
  writer.text(' ');
  writer.value(value);
  writer.text('\n');
}

function idleSince({ idleMs, now }: ExpositionOptions): number {
  return idleMs > 0 ? now - idleMs : -Number.MAX_VALUE;
}

function head(family: Family, format: Format): string {
  const { name, help, type } = family.def;
  const shown = type === 'since' ? 'gauge' : type;
  const title = format === 'openmetrics' && type === 'counter' ? name.slice(0, -'_total'.length) : name;
  const unit = format === 'openmetrics' ? /_(seconds|bytes)$/.exec(title)?.[1] : undefined;
  const text = format === 'openmetrics' ? escapeHelp(help).replaceAll('"', '\\"') : escapeHelp(help);
  return `# HELP ${title} ${text}\n# TYPE ${title} ${shown}\n${unit ? `# UNIT ${title} ${unit}\n` : ''}`;
}
