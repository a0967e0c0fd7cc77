/** A field of a protocol buffers message as it is on the wire. */
export type Wire = bigint | number | Buffer;

/** A message by the numbers of its fields, each in the order of its values. */
export type Fields = ReadonlyMap<number, readonly Wire[]>;

/** One decoded metric, with the fields that this project writes. */
export interface DecodedMetric {
  readonly labels: readonly (readonly [string, string])[];
  readonly value?: number;
  readonly created?: number;
  readonly exemplar?: {
    readonly labels: readonly (readonly [string, string])[];
    readonly value: number;
    readonly time?: number;
  };
  readonly histogram?: Fields;
}

export interface DecodedFamily {
  readonly name: string;
  readonly help: string;
  readonly type: number;
  readonly unit?: string;
  readonly metrics: readonly DecodedMetric[];
}

/** Reads messages that each have their length before them; throws at anything that is not that. */
export function readDelimited(bytes: Buffer): readonly Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = readVarint(bytes, at);
    const start = length.end;
    at = start + Number(length.value);
    if (at > bytes.length) throw new Error(`a message ends at ${at}, after the end at ${bytes.length}`);
    messages.push(bytes.subarray(start, at));
  }
  return messages;
}

/** Reads a message by its wire types (https://protobuf.dev/programming-guides/encoding), independently of the writer. */
export function readFields(bytes: Buffer): Fields {
  const fields = new Map<number, Wire[]>();
  for (let at = 0; at < bytes.length; ) {
    const tag = readVarint(bytes, at);
    const [field, type] = [Number(tag.value >> 3n), Number(tag.value & 7n)];
    const { value, end } = readValue(bytes, tag.end, type);
    if (end > bytes.length) throw new Error(`field ${field} ends at ${end}, after the end at ${bytes.length}`);
    fields.set(field, [...(fields.get(field) ?? []), value]);
    at = end;
  }
  return fields;
}

/** The families of an exposition. */
export function readFamilies(bytes: Buffer): readonly DecodedFamily[] {
  return readDelimited(bytes).map((message) => {
    const fields = readFields(message);
    const unit = fields.get(5)?.[0];
    return {
      name: text(fields.get(1)?.[0]),
      help: text(fields.get(2)?.[0]),
      type: Number(fields.get(3)?.[0]),
      ...(unit === undefined ? {} : { unit: text(unit) }),
      metrics: (fields.get(4) ?? []).map((metric) => readMetric(readFields(metric as Buffer))),
    };
  });
}

/** Signed numbers of a packed field in zigzag form. */
export function readPackedSints(packed: Wire | undefined): readonly number[] {
  const numbers: number[] = [];
  if (!Buffer.isBuffer(packed)) return numbers;
  for (let at = 0; at < packed.length; ) {
    const { value, end } = readVarint(packed, at);
    numbers.push(unzigzag(value));
    at = end;
  }
  return numbers;
}

/** A number in zigzag form. */
export function unzigzag(value: Wire | undefined): number {
  const coded = BigInt(value as bigint);
  return Number((coded >> 1n) ^ -(coded & 1n));
}

/** Milliseconds of a `google.protobuf.Timestamp`. */
export function readTime(value: Wire): number {
  const fields = readFields(value as Buffer);
  return Number(fields.get(1)?.[0] ?? 0) * 1_000 + Number(fields.get(2)?.[0] ?? 0) / 1e6;
}

function readMetric(fields: Fields): DecodedMetric {
  const labels = readLabels(fields.get(1));
  const histogram = fields.get(7)?.[0];
  if (histogram !== undefined) return { labels, histogram: readFields(histogram as Buffer) };
  const shown = readFields((fields.get(2) ?? fields.get(3))?.[0] as Buffer);
  const value = shown.get(1)?.[0] as number;
  const [exemplar, created] = [shown.get(2)?.[0], shown.get(3)?.[0]];
  return {
    labels,
    value,
    ...(created === undefined ? {} : { created: readTime(created) }),
    ...(exemplar === undefined ? {} : { exemplar: readExemplar(readFields(exemplar as Buffer)) }),
  };
}

/** What an exemplar is made of. */
export function readExemplar(fields: Fields): NonNullable<DecodedMetric['exemplar']> {
  const time = fields.get(3)?.[0];
  return {
    labels: readLabels(fields.get(1)),
    value: fields.get(2)?.[0] as number,
    ...(time === undefined ? {} : { time: readTime(time) }),
  };
}

function readLabels(labels: readonly Wire[] = []): (readonly [string, string])[] {
  return labels.map((label) => {
    const fields = readFields(label as Buffer);
    return [text(fields.get(1)?.[0]), text(fields.get(2)?.[0])] as const;
  });
}

function text(value: Wire | undefined): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(value as Buffer);
}

function readValue(bytes: Buffer, at: number, type: number): { value: Wire; end: number } {
  if (type === 0) return readVarint(bytes, at);
  if (type === 1) return { value: bytes.readDoubleLE(at), end: at + 8 };
  if (type !== 2) throw new Error(`found the wire type ${type}, wanted 0, 1 or 2`);
  const length = readVarint(bytes, at);
  const end = length.end + Number(length.value);
  return { value: bytes.subarray(length.end, end), end };
}

function readVarint(bytes: Buffer, start: number): { value: bigint; end: number } {
  let value = 0n;
  for (let at = start, shift = 0n; at < bytes.length && shift < 70n; at++, shift += 7n) {
    const byte = bytes[at]!;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return { value, end: at + 1 };
  }
  throw new Error(`a number at ${start} has no end`);
}
