/** One entry of the journal, as far as it is read. */
export interface JournalEntry {
  /** `MESSAGE` as UTF-8 (invalid bytes become U+FFFD), one trailing line feed dropped, cut at line feeds; a repeated field adds its lines; `[]` if there is none. */
  readonly messages: readonly string[];
  /** `__REALTIME_TIMESTAMP`: microseconds since 1970. */
  readonly realtime: number;
  /** The same in milliseconds, with a fraction. */
  readonly time: number;
  /** `_SYSTEMD_INVOCATION_ID`. */
  readonly invocation: string | undefined;
  /** Bytes of the `MESSAGE` fields behind `messages`. */
  readonly bytes: number;
  /** `MESSAGE` fields left out because the entry would have grown over the bound. */
  readonly tooLong: number;
  /**
   * Of an entry with one message in one line: the bytes it stands in, from `lineStart` to `lineEnd`. They save who knows
   * the line already from making text of it. Null for all other entries.
   */
  readonly line: Buffer | null;
  readonly lineStart: number;
  readonly lineEnd: number;
  /** `__CURSOR`, decoded when it is asked for. */
  readonly cursor: string;
}

/** Takes the bytes of `journalctl --output=export` in any pieces and gives the entries that are whole. */
export interface ExportParser {
  /** Throws if the bytes cannot be the export format; the parser is of no use afterwards. */
  push(chunk: Buffer): JournalEntry[];
}

/**
 * A parser of the journal export format (https://systemd.io/JOURNAL_EXPORT_FORMATS/): `NAME=value\n`, or for any bytes
 * `NAME\n`, a 64-bit little-endian length, the bytes, `\n`; fields repeat in any order; an empty line ends an entry.
 * `maxEntry` bounds the bytes of the messages of one entry; what is longer is skipped, never kept.
 */
export function createExportParser(maxEntry: number): ExportParser {
  return new Parser(maxEntry);
}

const LINE_FEED = 10;
const EQUALS = 61;
/** systemd allows 64 characters. */
const MAX_NAME = 256;
const MESSAGE = Buffer.from('MESSAGE');
const CURSOR = Buffer.from('__CURSOR');
const REALTIME = Buffer.from('__REALTIME_TIMESTAMP');
const INVOCATION = Buffer.from('_SYSTEMD_INVOCATION_ID');
const EMPTY = Buffer.alloc(0);

class Entry implements JournalEntry {
  line: Buffer | null = null;
  lineStart = 0;
  lineEnd = 0;
  realtime = -1;
  invocation: string | undefined = undefined;
  bytes = 0;
  tooLong = 0;
  // The cursor stays bytes: of a few hundred entries only the last one's is needed.
  source: Buffer = EMPTY;
  start = 0;
  end = 0;
  #messages: string[] | null = null;

  get messages(): readonly string[] {
    return this.#messages ?? (this.line ? [this.line.toString('utf8', this.lineStart, this.lineEnd)] : []);
  }

  /** Number of messages. */
  get length(): number {
    return this.#messages?.length ?? (this.line ? 1 : 0);
  }

  /** Adds a message that has several lines, or may have them. */
  add(bytes: Buffer, start: number, end: number, isLine: boolean): void {
    if (this.length === 0 && (isLine || !holdsLineFeed(bytes, start, end))) {
      this.line = bytes;
      this.lineStart = start;
      this.lineEnd = end;
      return;
    }
    this.#messages ??= [...this.messages];
    this.line = null;
    for (const piece of bytes.toString('utf8', start, end).split('\n')) this.#messages.push(piece);
  }

  get time(): number {
    return this.realtime / 1000;
  }

  get cursor(): string {
    return this.source.toString('latin1', this.start, this.end);
  }
}

class Parser implements ExportParser {
  readonly #maxEntry: number;
  #entry = new Entry();
  /** The bytes of a field that is not whole yet. */
  #carry: Buffer = EMPTY;
  /** Bytes still to be thrown away; Infinity: up to the next line feed. */
  #skip = 0;
  #invocation = '';
  #invocationBytes: Buffer = EMPTY;

  constructor(maxEntry: number) {
    this.#maxEntry = maxEntry;
  }

  push(chunk: Buffer): JournalEntry[] {
    const entries: JournalEntry[] = [];
    const buffer = this.#carry.length > 0 ? Buffer.concat([this.#carry, chunk]) : chunk;
    let at = this.#skipped(buffer, 0);
    while (at < buffer.length) {
      const line = buffer.indexOf(LINE_FEED, at);
      if (line === at) {
        this.#finish(entries);
        at++;
        continue;
      }
      const next = line < 0 ? this.#unended(buffer, at) : this.#field(buffer, at, line);
      if (next < 0) break;
      at = next;
    }
    this.#carry = at < buffer.length ? buffer.subarray(at) : EMPTY;
    return entries;
  }

  /** Reads the field whose first line ends at `line`; gives the place after it, or -1 if it is not whole. */
  #field(buffer: Buffer, at: number, line: number): number {
    let name = at;
    while (name < line && buffer[name] !== EQUALS) name++;
    if (name - at > MAX_NAME) throw malformed('a field name of more than 256 bytes');
    if (name < line) {
      this.#take(buffer, at, name, name + 1, line, true);
      return line + 1;
    }
    // Garbage would else be taken for a length, and what follows be swallowed.
    if (!isName(buffer, at, line)) throw malformed('a line that is no field');
    const start = line + 9;
    if (start > buffer.length) return -1;
    const size = buffer.readUInt32LE(line + 1) + buffer.readUInt32LE(line + 5) * 2 ** 32;
    if (size > this.#maxEntry) {
      this.#refuse(buffer, at, name);
      this.#skip = size + 1;
      return this.#skipped(buffer, start);
    }
    const end = start + size;
    if (end >= buffer.length) return -1;
    if (buffer[end] !== LINE_FEED) throw malformed('no line feed after a field framed by its length');
    this.#take(buffer, at, name, start, end, false);
    return end + 1;
  }

  /** No line feed in sight: wait for it, or give the field up when it is too long. */
  #unended(buffer: Buffer, at: number): number {
    const held = buffer.length - at;
    if (held <= this.#maxEntry + MAX_NAME) return -1;
    const name = buffer.indexOf(EQUALS, at);
    if (name < 0 || name - at > MAX_NAME) throw malformed('a field name of more than 256 bytes');
    this.#refuse(buffer, at, name);
    this.#skip = Number.POSITIVE_INFINITY;
    return buffer.length;
  }

  #skipped(buffer: Buffer, at: number): number {
    if (this.#skip === 0) return at;
    if (this.#skip === Number.POSITIVE_INFINITY) {
      const line = buffer.indexOf(LINE_FEED, at);
      if (line >= 0) this.#skip = 0;
      return line < 0 ? buffer.length : line + 1;
    }
    const step = Math.min(this.#skip, buffer.length - at);
    this.#skip -= step;
    return at + step;
  }

  #refuse(buffer: Buffer, at: number, name: number): void {
    if (named(buffer, at, name, MESSAGE)) this.#entry.tooLong++;
  }

  /** Takes a field; `isLine` if no line feed can be in it. */
  #take(buffer: Buffer, at: number, name: number, start: number, end: number, isLine: boolean): void {
    const entry = this.#entry;
    if (named(buffer, at, name, MESSAGE)) {
      // Empty messages have no bytes, but cost a place each.
      if (entry.bytes + entry.length + end - start > this.#maxEntry) entry.tooLong++;
      else this.#message(buffer, start, end, isLine);
    } else if (named(buffer, at, name, CURSOR)) {
      entry.source = buffer;
      entry.start = start;
      entry.end = end;
    } else if (named(buffer, at, name, REALTIME)) {
      entry.realtime = digits(buffer, start, end);
    } else if (named(buffer, at, name, INVOCATION)) {
      entry.invocation = this.#invocationOf(buffer, start, end);
    }
  }

  #message(buffer: Buffer, start: number, end: number, isLine: boolean): void {
    this.#entry.bytes += end - start;
    this.#entry.add(buffer, start, end > start && buffer[end - 1] === LINE_FEED ? end - 1 : end, isLine);
  }

  /** It changes with a restart of the unit only: the same string again is one comparison less for everybody. */
  #invocationOf(buffer: Buffer, start: number, end: number): string {
    if (!named(buffer, start, end, this.#invocationBytes)) {
      // A copy: what it was read from would be kept whole.
      this.#invocationBytes = Buffer.from(buffer.subarray(start, Math.min(end, start + MAX_NAME)));
      this.#invocation = this.#invocationBytes.toString('latin1');
    }
    return this.#invocation;
  }

  #finish(entries: JournalEntry[]): void {
    const entry = this.#entry;
    if (entry.end === 0 || entry.realtime < 0) {
      if (entry.end === 0 && entry.realtime < 0 && entry.length === 0) return;
      throw malformed('an entry without __CURSOR or __REALTIME_TIMESTAMP');
    }
    entries.push(entry);
    this.#entry = new Entry();
  }
}

function named(buffer: Buffer, at: number, end: number, name: Buffer): boolean {
  if (end - at !== name.length) return false;
  // From the end: names of one length differ there first.
  for (let i = name.length - 1; i >= 0; i--) if (buffer[at + i] !== name[i]) return false;
  return true;
}

function holdsLineFeed(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === LINE_FEED) return true;
  return false;
}

function isName(buffer: Buffer, at: number, end: number): boolean {
  return /^[A-Z0-9_]+$/.test(buffer.toString('latin1', at, end));
}

/** Microseconds have 16 digits until the year 2286: exact in a number. */
function digits(buffer: Buffer, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = (buffer[i] ?? 0) - 48;
    if (digit < 0 || digit > 9) throw malformed('a time that is no number');
    value = value * 10 + digit;
  }
  if (end === start || !Number.isSafeInteger(value)) throw malformed('a time that is no number');
  return value;
}

function malformed(found: string): Error {
  return new Error(`journalctl wrote ${found}, wanted the journal export format`);
}
