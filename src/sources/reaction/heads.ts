import { detached, readQuotedList } from './list.ts';
import { type ActionLine, type MatchLine, parseLine } from './parse.ts';

/** What a line was read as, see `parseLine`. */
type Read = ReturnType<typeof parseLine>;

/** Heads that are kept; when there are more, all are forgotten. */
const HEADS = 10_000;
/** Longer ones, in UTF-16 units, are not kept. */
const LENGTH_LIMIT = 512;

/**
 * Reads lines as `parseLine` does. What stands before the list of a match or a run is read once: in a log there are few
 * of these, before many lists.
 */
export function headParser(): (text: string, v1: boolean) => Read {
  const heads = new Map<string, MatchLine | ActionLine>();
  return (text, v1) => {
    if (v1) return parseLine(text, v1);
    const at = text.indexOf('[');
    if (at < 0 || at > LENGTH_LIMIT) return parseLine(text, v1);
    const head = text.slice(0, at);
    const known = heads.get(head);
    if (known) {
      const list = text.charCodeAt(at + 1) === QUOTE ? readQuotedList(text, at) : null;
      if (list) return withValues(known, list.values);
    }
    const read = parseLine(text, v1);
    if (!known && isHead(head, read)) {
      if (heads.size === HEADS) heads.clear();
      // Read from a text of its own: pieces of the line would keep the whole of it.
      heads.set(detached(head), parseLine(`${detached(head)}[]`, false) as MatchLine | ActionLine);
    }
    return read;
  };
}

const QUOTE = 0x22;

/** Whether a line was read as what its head tells, and its list: then all lines of this head are. */
function isHead(head: string, read: Read): boolean {
  if (read === null || 'rejected' in read) return false;
  const end = read.kind === 'match' ? ': match ' : ': run ';
  if (read.kind !== 'match' && (read.kind !== 'action' || read.failed)) return false;
  return head.length === head.indexOf(': ') + end.length && head.endsWith(end);
}

function withValues(line: MatchLine | ActionLine, values: readonly string[]): MatchLine | ActionLine {
  // Written out: to copy what is there would take longer than to read it.
  if (line.kind === 'match') return { kind: 'match', stream: line.stream, filter: line.filter, values, raw: null };
  const { stream, filter, action } = line;
  return { kind: 'action', stream, filter, action, failed: false, code: '0', values, raw: null };
}
