import { jsonText } from '../../lib/json-text.ts';

/** The JSON text of a value, nested however deep: the usual way is the faster one, and ends where the stack does. */
export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return jsonText(value);
    throw error;
  }
}
