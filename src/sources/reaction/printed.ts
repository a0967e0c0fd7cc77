import { readBlockYaml } from './block-yaml.ts';
import { parseJson, parseYaml, type Tree } from './documents.ts';

const mostOfYaml = 8 * 1024 * 1024;

/**
 * Parses what a program printed, JSON or YAML; the last of two equal keys stays. Throws an `Error` with line and column.
 */
export function parsePrinted(text: string): Tree {
  const start = text.trimStart();
  if (start.startsWith('{') || start.startsWith('[')) {
    try {
      return parseJson(text);
    } catch (error) {
      // Maps of YAML may begin like JSON. But a long text that is broken is not worth a second look.
      if (text.length > 1024 * 1024) throw error;
    }
  }
  const tree = readBlockYaml(text);
  if (tree !== undefined) return tree;
  if (text.length > mostOfYaml) throw new Error(`YAML of ${text.length} characters, wanted at most ${mostOfYaml}`);
  return parseYaml(text, { uniqueKeys: false });
}
