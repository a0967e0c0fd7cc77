/** A fenced block of code. */
export interface CodeBlock {
  /** What stands behind the fence, such as `yaml rules`. */
  readonly info: string;
  readonly text: string;
  /** Line of its fence, from 1. */
  readonly line: number;
}

/** A text of Markdown, taken apart as far as tests need it. */
export interface Markdown {
  readonly blocks: readonly CodeBlock[];
  /** Lines that stand in no block; those of blocks are empty here, so that numbers of lines stay. */
  readonly prose: readonly string[];
}

/** Takes a text apart into fenced code and the rest. */
export function readMarkdown(text: string): Markdown {
  const blocks: CodeBlock[] = [];
  const prose: string[] = [];
  let open: { info: string; line: number; lines: string[] } | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (fence && open) {
      blocks.push({ info: open.info, line: open.line, text: `${open.lines.join('\n')}\n` });
      open = null;
    } else if (fence) {
      open = { info: fence[1] ?? '', line: index + 1, lines: [] };
    } else if (open) {
      open.lines.push(line);
    }
    prose.push(open || fence ? '' : line);
  }
  return { blocks, prose };
}

/** The anchors that GitHub gives to the headings. */
export function anchors({ prose }: Markdown): ReadonlySet<string> {
  const found = new Set<string>();
  for (const line of prose) {
    const heading = /^#{1,6} (.+)$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const slug = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; found.has(anchor); count++) anchor = `${slug}-${count}`;
    found.add(anchor);
  }
  return found;
}

/** Targets of links, each with its line. */
export function links({ prose }: Markdown): readonly { readonly target: string; readonly line: number }[] {
  return prose.flatMap((line, index) =>
    [...line.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => ({
      target,
      line: index + 1,
    })),
  );
}

/** Cells of the rows of the table that stands first after a heading; what is within backticks is left as it is. */
export function tableAfter({ prose }: Markdown, heading: string): readonly (readonly string[])[] {
  const start = prose.indexOf(heading);
  const from = prose.findIndex((line, index) => index > start && line.startsWith('| --- '));
  if (start < 0 || from < 0) throw new Error(`found no table after ${JSON.stringify(heading)}`);
  const rows: string[][] = [];
  for (const line of prose.slice(from + 1)) {
    if (!line.startsWith('|')) break;
    const cells = line.slice(1, line.lastIndexOf('|')).split(/(?<!\\)\|/);
    rows.push(cells.map((cell) => cell.trim().replaceAll('\\|', '|')));
  }
  return rows;
}

/** What stands within backticks. */
export function codeSpans(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}
