/** So many events refused in a row are no matter of the events. One that is tried again and again is still one. */
const MOST_IN_A_ROW = 20;

/** An event that was accepted so long ago tells that the sink is the right one, in milliseconds. */
const PROOF_MS = 10 * 60_000;

/**
 * What a writer remembers to tell a bad event from a wrong address: a server that is no sink refuses every event just as
 * a sink refuses one that it cannot read. In memory only: after a start the sink has to prove itself again.
 */
export interface Doubt {
  accepted(): void;
  refused(id: string): void;
  /** Whether the sink is known to take events, so that a refusal is meant for its event. */
  isProven(): boolean;
  /** Whether so many were refused one after another that it is not about them. */
  isWrong(): boolean;
  /** Places of these events, those that were refused before last: any other may be the one that is accepted. */
  order(ids: readonly string[]): readonly number[];
}

/** Nothing was sent yet. `now` is in milliseconds, of any beginning. */
export function noProof(now: () => number): Doubt {
  let accepted: number | null = null;
  // Since the last one that was accepted. Once they are too many none is settled, so they are about as many as are given
  // at once.
  const suspects = new Set<string>();
  return {
    accepted: () => {
      accepted = now();
      suspects.clear();
    },
    refused: (id) => {
      suspects.add(id);
    },
    isProven: () => accepted !== null && now() - accepted <= PROOF_MS,
    isWrong: () => suspects.size >= MOST_IN_A_ROW,
    order: (ids) => {
      const places = ids.map((_, index) => index);
      const isSuspect = (index: number) => suspects.has(ids[index] ?? '');
      return [...places.filter((index) => !isSuspect(index)), ...places.filter(isSuspect)];
    },
  };
}
