import { grown } from './grown.ts';

/** Rows of one page, the unit in which births are saved and told of. */
export const PAGE_ROWS = 64;
/** Rows of one chunk, the unit in which what is shown of a counter is kept. */
export const CHUNK_ROWS: number = 32 * PAGE_ROWS;

/** Numbers of pages, each noted once until they are taken. */
export class Pages {
  #isNoted = new Uint8Array(16);
  #noted: number[] = [];

  note(page: number): void {
    if (this.#isNoted[page] === 1) return;
    if (page >= this.#isNoted.length) this.#isNoted = grown(this.#isNoted, page + 1);
    this.#isNoted[page] = 1;
    this.#noted.push(page);
  }

  /** Whether there is any. */
  get any(): boolean {
    return this.#noted.length > 0;
  }

  take(): readonly number[] {
    const noted = this.#noted;
    for (const page of noted) this.#isNoted[page] = 0;
    this.#noted = [];
    return noted;
  }
}
