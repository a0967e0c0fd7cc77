import type { Rejected } from '../../core/source.ts';
import { createLineMemo, type LineMemo } from '../../lib/line-memo.ts';
import { headParser } from './heads.ts';
import { EntryLine, type Line, type LineBytes, PlainLine } from './lines.ts';
import { type LineTable, NumberedLine } from './numbered.ts';
import { type Observed, unobserved } from './observed.ts';
import type { parseLine } from './parse.ts';

/** What a line is; null if it tells nothing. */
export type Parsed = Observed | Rejected | null;

type Parse = typeof parseLine;

/** Parses each line once, as most stand in a log many times; of lines with a time only what follows it is found again. */
export function rememberingParser(): (line: Line) => Parsed {
  // Made when the first line comes that needs it: they take much room.
  let plain: LineMemo<Parsed> | undefined;
  let dated: LineMemo<Parsed> | undefined;
  const parse = headParser();
  return (line) => {
    if (line instanceof NumberedLine) return numbered(line, parse);
    const memo = line.v1 ? (dated ??= createLineMemo()) : (plain ??= createLineMemo());
    if (line instanceof PlainLine || line instanceof EntryLine) return remembered(memo, line, line, parse);
    const bytes = Buffer.from(line.text);
    return remembered(memo, { bytes, start: 0, end: bytes.length }, line, parse);
  };
}

function numbered(line: NumberedLine, parse: Parse): Parsed {
  const table = line.table as LineTable<Parsed>;
  let parsed = table.parsed[line.number];
  if (parsed === undefined) table.parsed[line.number] = parsed = toObserved(parse(line.text, false));
  return parsed;
}

function remembered(memo: LineMemo<Parsed>, { bytes, start, end }: LineBytes, line: Line, parse: Parse): Parsed {
  const known = memo.find(bytes, start, end);
  if (known !== undefined) return known;
  const parsed = toObserved(parse(line.text, line.v1));
  memo.keep(bytes, start, end, parsed);
  return parsed;
}

function toObserved(parsed: ReturnType<typeof parseLine>): Parsed {
  if (parsed === null || 'rejected' in parsed) return parsed;
  return unobserved(parsed);
}
