import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository: compiled tests live two folders below it. */
export const root: string = fileURLToPath(new URL('../../../', import.meta.url));

/** The absolute path of a file under `test/fixtures`. */
export function fixture(name: string): string {
  return join(root, 'test', 'fixtures', name);
}
