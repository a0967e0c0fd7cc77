import { join } from 'node:path';
import t from 'tap';
import type { Cell } from '../../src/core/cells.ts';
import { openState } from '../../src/core/state.ts';
import { fill, smallDisk } from '../support/disk.ts';

const KEYS = Array.from({ length: 200 }, (_, index) => String(index).padStart(3, '0'));

/** Small values between large ones: to change them all is little to say, and much to write. */
function cells(round: number, large: boolean): readonly Cell[] {
  const entries = KEYS.flatMap((key): Cell[] => [
    [['entry', 'r', `${key}a`], round],
    ...(large ? [[['entry', 'r', `${key}b`], 'x'.repeat(1_900)] as const] : []),
  ]);
  return [[['position', 'r'], round], ...entries];
}

t.test('a commit that LMDB itself cannot write fails whole, and the next one does not', async (t) => {
  const disk = smallDisk(t);
  if (disk === null) return;
  // LMDB's own words on it would be part of the report.
  t.intercept(console, 'error', { value: () => {} });
  const directory = join(disk, 'state');
  const state = await openState(directory);
  await state.commit(cells(1, true));
  const filler = fill(disk, 150_000);
  const message = `cannot save to state directory ${directory}: no space left on the disk`;
  let failed = 0;
  for (let round = 2; round < 8; round++) {
    await state.commit(cells(round, false)).catch((error: Error) => {
      t.equal(error.message, message);
      // LMDB tells the number of an error, the look before it the name.
      if (typeof (error.cause as { code?: unknown }).code === 'number') failed += 1;
    });
  }
  t.ok(failed > 0, 'LMDB itself found out');
  const saved = state.load();
  const rounds = new Set(
    saved
      .under('entry', 'r')
      .filter(([[key]]) => String(key).endsWith('a'))
      .map(([, value]) => value),
  );
  const position = saved.under('position', 'r').map(([, value]) => value);
  t.same([...rounds], position, 'all of a commit, or nothing');
  filler.remove();
  await state.commit(cells(9, false));
  await state.close();
  const again = await openState(directory);
  t.same(again.load().under('position', 'r'), [[[], 9]]);
  await again.close();
});

t.test('blocks that LMDB itself cannot write fail one by one, and nobody is left to hear of it', async (t) => {
  const disk = smallDisk(t);
  if (disk === null) return;
  t.intercept(console, 'error', { value: () => {} });
  const unheard: unknown[] = [];
  const hear = (error: unknown) => unheard.push(error);
  process.on('unhandledRejection', hear);
  t.teardown(() => process.off('unhandledRejection', hear));
  const state = await openState(join(disk, 'state'));
  t.teardown(() => state.close());
  const filler = fill(disk, 400_000);
  const blocks = Array.from({ length: 10 }, (_, id) => ({ id: id + 1, bytes: Buffer.alloc(100_000, id) }));
  // Each of them finds room when it looks; together they do not.
  const done = await Promise.allSettled(blocks.map((block) => state.putBlock(block)));
  const stored = blocks.filter((_, index) => done[index]?.status === 'fulfilled').map(({ id }) => id);
  t.ok(stored.length < 10, 'LMDB itself found out');
  t.same(state.blockIds(), stored, 'what was said to be stored is, and nothing else');
  filler.remove();
  for (const block of blocks) await state.putBlock(block);
  for (const { id, bytes } of blocks) t.ok(state.block(id)?.equals(bytes));
  await state.removeBlocks(blocks.map(({ id }) => id));
  t.same(state.blockIds(), []);
  t.same(unheard, []);
});
