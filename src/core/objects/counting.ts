/** Counts items while somebody else goes through them, who is not to hear of what is wrong with the object. */
export class Counting {
  records = 0;
  #fault: { readonly error: unknown } | null = null;

  *through<T>(items: Iterable<T>): Generator<T> {
    try {
      for (const item of items) {
        this.records += 1;
        yield item;
      }
    } catch (error) {
      this.#fault = { error };
    }
  }

  /** Throws what was wrong. */
  check(): void {
    if (this.#fault) throw this.#fault.error;
  }
}
