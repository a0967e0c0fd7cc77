import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of typed arrays and buffers that are still in use. */
export function arrayBytes(): number {
  setFlagsFromString('--expose-gc');
  // The flag holds for contexts that are made from now on.
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().arrayBuffers;
}
