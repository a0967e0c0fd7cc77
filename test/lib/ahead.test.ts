import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { ahead, resultsAhead } from '../../src/lib/ahead.ts';

async function* numbers(to: number, onEnd: () => void = () => {}): AsyncGenerator<number> {
  try {
    for (let number = 0; number < to; number++) yield number;
  } finally {
    onEnd();
  }
}

t.test('in their order, so many at once', async (t) => {
  for (const most of [1, 4]) {
    let running = 0;
    let highest = 0;
    const begin = async (number: number) => {
      running += 1;
      highest = Math.max(highest, running);
      await sleep(number % 3);
      running -= 1;
      return number * 2;
    };
    const found: number[] = [];
    for await (const { item, result } of ahead(numbers(20), most, begin)) {
      t.equal(await result, item * 2);
      found.push(item);
    }
    t.same(found, [...Array(20).keys()]);
    t.equal(highest, most);
  }
  for await (const _ of ahead(numbers(0), 4, async () => 1)) t.fail('nothing');
});

t.test('what was begun before an error is given before it', async (t) => {
  async function* failing(): AsyncGenerator<number> {
    yield* numbers(2);
    throw new Error('no more');
  }
  const found: number[] = [];
  await t.rejects(
    (async () => {
      for await (const { result } of ahead(failing(), 4, async (number) => number)) found.push(await result);
    })(),
    { message: 'no more' },
  );
  t.same(found, [0, 1]);
});

t.test('who stops early ends the items too', async (t) => {
  let ended = 0;
  const items = numbers(100, () => (ended += 1));
  for await (const { item } of ahead(items, 4, async (number) => number)) if (item === 2) break;
  t.equal(ended, 1);
});

t.test('results in their order, up to the first task that fails', async (t) => {
  let running = 0;
  let highest = 0;
  const task = async (number: number) => {
    running += 1;
    highest = Math.max(highest, running);
    await sleep(5 - (number % 5));
    running -= 1;
    if (number === 7) throw new Error('seven');
    return number * 2;
  };
  const found: (readonly [number, number])[] = [];
  await t.rejects(
    (async () => {
      for await (const one of resultsAhead([...Array(20).keys()], 4, task)) found.push(one);
    })(),
    { message: 'seven' },
  );
  t.same(
    found,
    [...Array(7).keys()].map((number) => [number, number * 2]),
  );
  t.equal(highest, 4);
});
