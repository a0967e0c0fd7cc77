import { readFileSync, statSync } from 'node:fs';

/** A set of small files that were read together, and whether one of them has changed since. */
export interface WatchedFiles {
  /**
   * What `use` makes of the files that it reads. If it fails, they are watched in addition to those that were before,
   * else in their place.
   */
  load<Result>(use: (read: (file: string) => string) => Result): Result;
  /** Whether a watched file is another than it was when it was read, or when this was last asked. */
  changed(): boolean;
}

const MOST_BYTES = 1024 * 1024;

/** Files are followed through symbolic links, so that the way Kubernetes changes its volumes is seen. */
export function watchedFiles(): WatchedFiles {
  let stamps = new Map<string, string>();
  return {
    load(use) {
      const seen = new Map<string, string>();
      try {
        const result = use((file) => {
          // The stamp first: a change in between is then found the next time.
          seen.set(file, stamp(file));
          return readText(file);
        });
        stamps = seen;
        return result;
      } catch (error) {
        stamps = new Map([...stamps, ...seen]);
        throw error;
      }
    },
    changed() {
      let changed = false;
      for (const [file, before] of stamps) {
        const after = stamp(file);
        if (after !== before) changed = true;
        stamps.set(file, after);
      }
      return changed;
    },
  };
}

function readText(file: string): string {
  try {
    if (statSync(file).size > MOST_BYTES) throw new Error('it is larger than 1 MiB');
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Error(`cannot read ${file}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

function stamp(file: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch {
    return 'unreadable';
  }
}
