import { LineSplitter, type LongLine } from '../../lib/objects/split-lines.ts';
import type { ObjectContent } from './format.ts';

/** The content of an object that is made of lines: `itemOf` makes an item of each, or null where it is none. */
export function lineContent<Raw>(itemOf: (line: string | LongLine) => Raw | null): ObjectContent<Raw> {
  const splitter = new LineSplitter();
  let given = 0;
  const items = function* (pieces: Iterable<readonly (string | LongLine)[]>): Generator<Raw> {
    for (const lines of pieces) {
      for (const line of lines) {
        const item = itemOf(line);
        if (item === null) continue;
        given += 1;
        yield item;
      }
    }
  };
  return {
    items: (chunk) => items(splitter.lines(chunk)),
    end: () => [...items([splitter.end()])],
    get given() {
      return given;
    },
  };
}
