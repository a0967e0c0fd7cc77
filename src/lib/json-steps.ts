/** What is read as a whole while an object is split: the name or the value of a member, or an element of the array. */
export type Token = 'name' | 'value' | 'element';
/** What comes next, between tokens; `names` and `elements` may also be none. */
export type State =
  | 'start'
  | 'names'
  | 'name'
  | 'colon'
  | 'value'
  | 'after'
  | 'elements'
  | 'element'
  | 'between'
  | 'end';

/** What may come next. */
export interface Step {
  /** Where to go on after one of these characters. */
  readonly on: Readonly<Record<string, State>>;
  /** What begins with any other character that can begin one. */
  readonly token?: Token;
  readonly wish: string;
}

/** The grammar around tokens. */
export const STEPS: Readonly<Record<State, Step>> = {
  start: { on: { '{': 'names' }, wish: '"{"' },
  names: { on: { '}': 'end' }, token: 'name', wish: 'a name or "}"' },
  name: { on: {}, token: 'name', wish: 'a name' },
  colon: { on: { ':': 'value' }, wish: '":"' },
  value: { on: {}, token: 'value', wish: 'a value' },
  after: { on: { ',': 'name', '}': 'end' }, wish: '"," or "}"' },
  elements: { on: { ']': 'after' }, token: 'element', wish: 'an element or "]"' },
  element: { on: {}, token: 'element', wish: 'an element' },
  between: { on: { ',': 'element', ']': 'after' }, wish: '"," or "]"' },
  end: { on: {}, wish: 'nothing' },
};
/** Instead of any value: the member is the wanted one. */
export const ARRAY: Step = { on: { '[': 'elements' }, wish: '"["' };
/** Where to go on after a token. */
export const AFTER_TOKEN: Readonly<Record<Token, State>> = { name: 'colon', value: 'after', element: 'between' };

/** What is missing of a token that is cut, for messages. */
export const REST: Readonly<Record<Token, string>> = { name: 'a name', value: 'a value', element: 'an element' };
