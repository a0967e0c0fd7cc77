import t from 'tap';
import type { JournalEntry } from '../../src/lib/journal-export.ts';
import { dropSeen, resumeArguments } from '../../src/lib/journal-resume.ts';

function entries(...cursors: string[]): JournalEntry[] {
  return cursors.map((cursor, index) => ({
    cursor,
    messages: [],
    realtime: 1000 + index,
    time: 1,
    invocation: undefined,
    bytes: 0,
    tooLong: 0,
    line: null,
    lineStart: 0,
    lineEnd: 0,
  }));
}

function at(cursor: string, realtime = 0) {
  return { cursor, realtime };
}

t.test('arguments', async (t) => {
  t.same(resumeArguments(null), []);
  t.same(resumeArguments(at('')), []);
  t.same(resumeArguments(at('', 1715241600999999)), ['--since=@1715241600']);
  t.same(resumeArguments(at('s=1;i=2', 1715241600999999)), ['--cursor=s=1;i=2']);
});

t.test('the entry of the position comes first and is dropped', async (t) => {
  t.same(dropSeen(entries('s=1;i=2;b=3;m=4;t=5;x=6', 'x'), at('s=1;i=2;b=3;m=4;t=5;x=6')), {
    count: 1,
    settled: true,
    gap: false,
  });
});

t.test('another entry comes first: a gap', async (t) => {
  const position = at('s=1;i=2;b=3;m=4;t=5;x=6');
  const gap = { count: 0, settled: true, gap: true };
  t.same(dropSeen(entries('s=1;i=3;b=3;m=5;t=6;x=6'), position), gap);
  t.same(dropSeen(entries('s=1;i=3;b=3;m=4;t=5;x=6'), position), gap, 'same lines at one time, told apart by i');
  t.same(dropSeen(entries('s=2;i=1;b=3;m=5;t=6;x=6'), position), gap);
  t.same(dropSeen(entries('nonsense'), position), gap);
  t.same(dropSeen(entries('nonsense'), at('garbage')), gap);
});

t.test('an entry that was moved to another sequence is the same', async (t) => {
  const position = at('s=1;i=9;b=3;m=4;t=5;x=6');
  const moved = entries('s=2;i=1;b=3;m=4;t=5;x=1', 's=2;i=2;b=3;m=4;t=5;x=6', 's=2;i=3;b=3;m=4;t=5;x=7');
  t.same(dropSeen(moved, position), { count: 2, settled: true, gap: false });
  t.same(dropSeen(moved.slice(2), position), { count: 0, settled: true, gap: true });
});

t.test('a position without a cursor drops all up to its time', async (t) => {
  const some = entries('a', 'b', 'c');
  t.same(dropSeen(some, at('')), { count: 0, settled: true, gap: false });
  t.same(dropSeen(some, at('', 1001)), { count: 2, settled: true, gap: false });
  t.same(dropSeen(some, at('', 1002)), { count: 3, settled: false, gap: false });
});
