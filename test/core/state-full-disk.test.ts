import { join } from 'node:path';
import t from 'tap';
import { type Changes, openState } from '../../src/core/state.ts';
import { fill, smallDisk } from '../support/disk.ts';

const KEYS = Array.from({ length: 200 }, (_, index) => String(index).padStart(3, '0'));

/** Small values between large ones: to change them all is little to say, and much to write. */
function changes(round: number, large: boolean): Changes {
  const entries = KEYS.flatMap((key): [string, unknown][] => [
    [`${key}a`, round],
    ...(large ? [[`${key}b`, 'x'.repeat(1_900)] as [string, unknown]] : []),
  ]);
  return { births: [], pages: [], owed: [], scrapers: null, sources: [{ source: 'r', position: round, entries }] };
}

t.test('a commit that LMDB itself cannot write fails whole, and the next one does not', async (t) => {
  const disk = smallDisk(t);
  if (disk === null) return;
  // LMDB's own words on it would be part of the report.
  t.intercept(console, 'error', { value: () => {} });
  const directory = join(disk, 'state');
  const state = await openState(directory);
  await state.commit(changes(1, true));
  const filler = fill(disk, 150_000);
  const message = `cannot save to state directory ${directory}: no space left on the disk`;
  let failed = 0;
  for (let round = 2; round < 8; round++) {
    await state.commit(changes(round, false)).catch((error: Error) => {
      t.equal(error.message, message);
      // LMDB tells the number of an error, the look before it the name.
      if (typeof (error.cause as { code?: unknown }).code === 'number') failed += 1;
    });
  }
  t.ok(failed > 0, 'LMDB itself found out');
  const { position, entries } = state.load();
  const rounds = new Set(
    entries('r')
      .filter(([key]) => key.endsWith('a'))
      .map(([, value]) => value),
  );
  t.same([...rounds], [position('r')], 'all of a commit, or nothing');
  filler.remove();
  await state.commit(changes(9, false));
  await state.close();
  const again = await openState(directory);
  t.equal(again.load().position('r'), 9);
  await again.close();
});
