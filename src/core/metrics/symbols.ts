import { boundValue, escapeValue } from './labels.ts';

/** What is made of a text before it is kept, and before it is shown. */
export interface TextForm {
  bound(text: string): string;
  /** A copy that keeps nothing else alive. */
  own(text: string): string;
  escape(text: string): string;
}

/** Values of labels: bounded, and shown between quotes. */
const LABEL_VALUES: TextForm = { bound: boundValue, own: detached, escape: escapeValue };
/** Texts that are kept and shown as they are. */
export const AS_IT_IS: TextForm = { bound: same, own: same, escape: same };

/**
 * Texts that are kept once and known by a number: values of labels, which are bounded as they are shown, or label texts,
 * which are taken as they are. Number 0 is the empty text.
 *
 * Who keeps a number says so with `retain`, and with `release` when it does not any more: what nobody keeps is
 * forgotten, so that values which only ever come once do not pile up.
 */
export class Symbols {
  readonly #ids = new Map<string, number>([['', 0]]);
  readonly #texts: string[] = [''];
  readonly #escaped: string[] = [''];
  #uses = new Uint32Array(64);
  readonly #free: number[] = [];
  readonly #form: TextForm;

  constructor(form: TextForm = LABEL_VALUES) {
    this.#form = form;
  }

  /** The number of a text, or -1 if it is not known. */
  find(text: string): number {
    const id = this.#ids.get(text);
    if (id !== undefined) return id;
    const bounded = this.#form.bound(text);
    return bounded === text ? -1 : (this.#ids.get(bounded) ?? -1);
  }

  /** The number of a text, as long as somebody retains it. */
  intern(text: string): number {
    const known = this.find(text);
    return known >= 0 ? known : this.add(text);
  }

  /** The number of a text that was just not found, as long as somebody retains it. */
  add(text: string): number {
    const own = this.#form.own(this.#form.bound(text));
    const id = this.#free.pop() ?? this.#texts.length;
    this.#ids.set(own, id);
    this.#texts[id] = own;
    this.#escaped[id] = this.#form.escape(own);
    if (id >= this.#uses.length) {
      const more = new Uint32Array(this.#uses.length * 2);
      more.set(this.#uses);
      this.#uses = more;
    }
    this.#uses[id] = 0;
    return id;
  }

  text(id: number): string {
    return this.#texts[id] ?? '';
  }

  /** The text as it stands in an exposition. */
  escaped(id: number): string {
    return this.#escaped[id] ?? '';
  }

  retain(id: number): void {
    this.#uses[id]! += 1;
  }

  release(id: number): void {
    this.#uses[id]! -= 1;
    if (id === 0 || this.#uses[id]! > 0) return;
    this.#ids.delete(this.text(id));
    this.#texts[id] = '';
    this.#escaped[id] = '';
    this.#free.push(id);
  }

  /** Number of texts that are known. */
  get size(): number {
    return this.#ids.size;
  }
}

/** From this length on the engine cuts a text out of another by pointing into it, which keeps the whole of it alive. */
const SLICED_LENGTH = 13;

function same(text: string): string {
  return text;
}

/** A copy that keeps nothing else alive. */
export function detached(text: string): string {
  return text.length < SLICED_LENGTH ? text : Buffer.from(text).toString();
}
