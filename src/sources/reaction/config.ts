import * as z from 'zod';
import { described, duration, fieldMeta, flag, integer, option, section, text } from '../../core/fields.ts';
import { transformProblems } from './transform.ts';

/** Where reaction's log is: the journal of its unit, or a file; exactly one of the two is set. */
export interface LogsConfig {
  readonly systemd: string | null;
  /** Folder of journal files; null for this machine's own. */
  readonly directory: string | null;
  readonly file: string | null;
}

/** Of a gauge with pattern labels: whether it is shown, and with these labels. */
export type PatternExportConfig = boolean | { readonly extra: boolean };

/** Templates by pattern, or by stream, filter and pattern; what they may hold is checked by `compileTransforms`. */
export type Templates = Readonly<Record<string, unknown>>;

const DEFAULT_UNIT = 'reaction.service';
const DEFAULT_FILE = '/var/log/reaction.log';

/** `sources.reaction`. */
export const reactionConfig = section('reaction: its log, its configuration, its pending actions.', {
  config: option(
    text(),
    '/etc/reaction',
    'Configuration of reaction, a file or a directory: it tells the names of patterns.',
  ),
  logs: logs(),
  command: option(text(), 'reaction', 'The program that is asked for its configuration, pending actions and version.'),
  socket: option(text(), '/run/reaction/reaction.sock', 'Socket of the daemon, for `reaction show`.'),
  hold: option(
    duration(),
    '60s',
    'After a start of reaction, actions within this time are its old ones run again: not counted.',
  ),
  transform: transform(),
  top: option(
    integer(0, 1_000),
    20,
    'How many of the most frequent values of each pattern `reaction_pattern_top` shows; 0 for none.',
  ),
  distinct: option(flag(), true, 'Whether to count the different values of each pattern: `reaction_pattern_distinct`.'),
  export: section('Gauges of the Python exporter.', {
    matches: option(patternExport(), { extra: true }, '`reaction_match_count`; `extra`: with one label per pattern.'),
    actions: option(patternExport(), { extra: true }, '`reaction_action_count`; `extra`: with one label per pattern.'),
    pending: option(patternExport(), { extra: true }, '`reaction_pending_count`; `extra`: with one label per pattern.'),
    commands: option(flag(), true, '`reaction_commands_count`.'),
    streams: option(flag(), true, '`reaction_stream_event_count`.'),
  }),
});

/** A validated `sources.reaction`. */
export type ReactionConfig = z.output<typeof reactionConfig>;

function logs(): z.ZodType<LogsConfig> {
  const fields = {
    systemd: described(text().nullable(), {
      kind: 'string',
      default: DEFAULT_UNIT,
      doc: 'Unit whose journal is read.',
    }),
    directory: described(text().nullable(), {
      kind: 'string',
      default: null,
      doc: 'Directory of journal files, instead of the journal of this machine.',
    }),
    file: described(text().nullable(), { kind: 'string', default: null, doc: 'Log file, instead of the journal.' }),
  };
  const inner = z
    .strictObject(fields, {
      error: (issue) => (issue.code === 'invalid_type' ? 'wanted a map with systemd or file' : undefined),
    })
    .refine((value) => value.systemd === null || value.file === null, {
      error: 'found both systemd and file, wanted one of them',
    })
    .refine((value) => value.directory === null || value.file === null, {
      error: 'found both directory and file, wanted directory with systemd alone',
    });
  const doc = 'Where the log of reaction is: in the journal (`systemd`) or in a `file`.';
  return described(z.preprocess(completeLogs, inner) as unknown as z.ZodType<LogsConfig>, { doc, fields });
}

/** A key without a value stands for its default, as in the Python exporter's configuration; no key for the journal. */
function completeLogs(value: unknown): unknown {
  const logs = value ?? {};
  if (typeof logs !== 'object' || Array.isArray(logs)) return logs;
  const given = { systemd: null, directory: null, file: null, ...logs };
  if (given.systemd !== null || given.file !== null) return given;
  return 'file' in logs && !('systemd' in logs)
    ? { ...given, file: DEFAULT_FILE }
    : { ...given, systemd: DEFAULT_UNIT };
}

function transform(): z.ZodType<{ readonly all: Templates; readonly for: Templates }> {
  const sections = section('Handlebars templates for the pattern labels of the gauges; `false` drops a label.', {
    all: option(templates(), {}, 'By pattern.'),
    for: option(templates(), {}, 'By stream, filter and pattern; these go before `all`.'),
  });
  const checked = sections.superRefine((config, context) => {
    for (const { path, text: problem } of transformProblems(config)) {
      const message = problem.startsWith('found') ? problem : `found a template with a mistake: ${problem}`;
      context.addIssue({ code: 'custom', path: keysOf(config, path.replace('transform.', '')), message });
    }
  });
  return described(checked, { ...fieldMeta(sections) });
}

/** The keys of a path that names them with points in between; a key may hold points itself. */
function keysOf(value: unknown, path: string): string[] {
  if (value === null || typeof value !== 'object') return path === '' ? [] : [path];
  const entry = Object.entries(value).find(([key]) => path === key || path.startsWith(`${key}.`));
  if (!entry) return path === '' ? [] : [path];
  return [entry[0], ...keysOf(entry[1], path.slice(entry[0].length + 1))];
}

function templates(): z.ZodType<Templates> {
  const schema = z.custom<Templates>((value) => value !== null && typeof value === 'object' && !Array.isArray(value), {
    error: 'wanted a map of templates',
  });
  return described(schema, { kind: 'map' });
}

function patternExport(): z.ZodType<PatternExportConfig> {
  const wish = 'wanted true, false, { extra: true } or { extra: false }';
  const extra = z.strictObject({ extra: option(flag(), true, '') }, { error: wish });
  const schema = z.union([flag(), extra], { error: wish });
  return described(schema as z.ZodType<PatternExportConfig>, { kind: '`true`, `false`, `{ extra }`' });
}
