import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';

/**
 * Whether a file of LMDB (data format 2, as its fork in the package `lmdb` writes it) is whole: every page that can be
 * reached has the number and the shape that its parent expects, and each table holds as many entries as it says. LMDB
 * itself looks at none of that; it takes what it finds for granted, and ends the process when that leads nowhere.
 * Bytes within keys and values are not looked at. The file must not be in use; it may be missing or empty.
 */
export function isWholeDatabase(path: string): boolean {
  // On other machines the layout differs, and nothing can be said.
  if (endianness() !== 'LE' || !process.arch.endsWith('64')) return true;
  const descriptor = openToRead(path);
  if (descriptor === null) return true;
  try {
    const { size } = fstatSync(descriptor);
    return size === 0 || isWhole({ descriptor, size });
  } finally {
    closeSync(descriptor);
  }
}

interface DatabaseFile {
  readonly descriptor: number;
  readonly size: number;
}

/** Where things are, in bytes: in every page; in a meta page; in the record of a table, which LMDB calls MDB_db. */
const PAGE = { number: 0, flags: 18, lower: 20, upper: 22, pages: 20, header: 24 } as const;
const META = { magic: 24, pageSize: 48, tables: [48, 96], transaction: 152, bytes: 160 } as const;
const TABLE = { depth: 6, entries: 32, root: 40, bytes: 48 } as const;
const MAGIC = 0xbeefc0de;
const BRANCH = 1;
const LEAF = 2;
const OVERFLOW = 4;
const KINDS = 0xf;
/** Flags of an entry: its value has pages of its own, or is the record of a table. */
const BIG = 1;
const SUBTABLE = 2;
const NODE = 8;
const NO_ROOT = 2n ** 64n - 1n;

interface Walk {
  readonly file: DatabaseFile;
  readonly pageSize: number;
  /** Pages that were reached; one that is reached twice is as wrong as one that is missing. */
  readonly reached: Set<number>;
}

function isWhole(file: DatabaseFile): boolean {
  const first = metaAt(file, 0);
  const second = first && metaAt(file, first.readUInt32LE(META.pageSize));
  if (!first || !second) return false;
  const newest = transactionOf(first) > transactionOf(second) ? first : second;
  const pageSize = newest.readUInt32LE(META.pageSize);
  const walk = { file, pageSize, reached: new Set<number>() };
  return META.tables.every((at) => isWholeTable(walk, newest.subarray(at, at + TABLE.bytes)));
}

function metaAt(file: DatabaseFile, offset: number): Buffer | null {
  const meta = Buffer.alloc(META.bytes);
  if (readSync(file.descriptor, meta, 0, meta.length, offset) < meta.length) return null;
  const pageSize = meta.readUInt32LE(META.pageSize);
  const known = meta.readUInt32LE(META.magic) === MAGIC && pageSize >= 256 && pageSize <= 65_536;
  return known ? meta : null;
}

function transactionOf(meta: Buffer): bigint {
  return meta.readBigUInt64LE(META.transaction);
}

function isWholeTable(walk: Walk, record: Buffer): boolean {
  const root = record.readBigUInt64LE(TABLE.root);
  const entries = record.readBigUInt64LE(TABLE.entries);
  if (root === NO_ROOT) return entries === 0n;
  const counted = countEntries(walk, root, record.readUInt16LE(TABLE.depth));
  return counted !== null && BigInt(counted) === entries;
}

/** The entries below a page of which `depth` layers are left, or null if something there is wrong. */
function countEntries(walk: Walk, number: bigint, depth: number): number | null {
  const page = depth > 0 && depth < 32 ? readPage(walk, number, walk.pageSize) : null;
  if (!page) return null;
  const kind = page.readUInt16LE(PAGE.flags) & KINDS;
  if (kind !== (depth === 1 ? LEAF : BRANCH)) return null;
  const nodes = nodesOf(page);
  if (!nodes) return null;
  if (kind === LEAF) return nodes.every((at) => isWholeEntry(walk, page, at)) ? nodes.length : null;
  let sum = 0;
  for (const at of nodes) {
    const child = BigInt(page.readUInt32LE(at)) | (BigInt(page.readUInt16LE(at + 4)) << 32n);
    const count = countEntries(walk, child, depth - 1);
    if (count === null) return null;
    sum += count;
  }
  return sum;
}

/** The offsets of a page's entries, or null if they do not fit into it. */
function nodesOf(page: Buffer): readonly number[] | null {
  const lower = page.readUInt16LE(PAGE.lower);
  const upper = page.readUInt16LE(PAGE.upper);
  if (lower === 0 || lower % 2 === 1 || lower > upper || PAGE.header + upper > page.length) return null;
  const nodes = Array.from(
    { length: lower / 2 },
    (_, index) => PAGE.header + page.readUInt16LE(PAGE.header + 2 * index),
  );
  const fits = (at: number) =>
    at >= PAGE.header + upper && at + NODE <= page.length && at + NODE + page.readUInt16LE(at + 6) <= page.length;
  return nodes.every(fits) ? nodes : null;
}

function isWholeEntry(walk: Walk, page: Buffer, at: number): boolean {
  const size = page.readUInt32LE(at);
  const flags = page.readUInt16LE(at + 4);
  const keySize = page.readUInt16LE(at + 6);
  const value = page.subarray(at + NODE + keySize);
  if (keySize === 0) return false;
  if (flags & BIG) return value.length >= 24 && isWholeOverflow(walk, value, size);
  if (size > value.length) return false;
  return !(flags & SUBTABLE) || (size === TABLE.bytes && isWholeTable(walk, value.subarray(0, TABLE.bytes)));
}

/** `place` names the first page and their number; only the first page has a header. */
function isWholeOverflow(walk: Walk, place: Buffer, size: number): boolean {
  const number = place.readBigUInt64LE(0);
  const pages = place.readBigUInt64LE(16);
  if (pages * BigInt(walk.pageSize) < PAGE.header + size) return false;
  const first = readPage(walk, number, PAGE.header, pages);
  return first !== null && (first.readUInt16LE(PAGE.flags) & KINDS) === OVERFLOW;
}

/** The first bytes of a page that was not reached before, and that the file holds with `pages` in all. */
function readPage({ file, pageSize, reached }: Walk, number: bigint, length: number, pages = 1n): Buffer | null {
  if (number < 2n || (number + pages) * BigInt(pageSize) > BigInt(file.size)) return null;
  const index = Number(number);
  if (reached.has(index)) return null;
  reached.add(index);
  const page = Buffer.allocUnsafe(length);
  if (readSync(file.descriptor, page, 0, length, index * pageSize) < length) return null;
  return page.readBigUInt64LE(PAGE.number) === number ? page : null;
}

function openToRead(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
