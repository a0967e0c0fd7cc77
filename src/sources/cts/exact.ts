import { parseJson } from '../../lib/json-value.ts';

/** An id or a marker with more digits than a number of JavaScript may have. In JSON no text can hold such a thing. */
const LONG = /"(trace_id|marker)"(\s*:\s*)([1-9][0-9]{15,})(?=\s*[,}])/g;

/** What JSON of the service says; undefined if it is none. Ids and markers of many digits become texts, as they would be rounded. */
export function parseTraces(text: string): unknown {
  return parseJson(text.replace(LONG, '"$1"$2"$3"'));
}
