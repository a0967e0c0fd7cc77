/** Text of somebody else for a message: on one line, without anything invisible, and of at most so many characters. */
export function shown(text: string, limit: number): string {
  const line = text
    .slice(0, 4 * limit)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  return line.length > limit ? `${line.slice(0, limit).toWellFormed()}…` : line;
}
