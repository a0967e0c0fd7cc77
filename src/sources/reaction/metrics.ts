import { counter, distinct, gauge, since, top, topError } from '../../core/metrics/define.ts';

const PATTERNS = 'one per pattern of the filter';

const PATTERN_TOP = top(
  'reaction_pattern_top',
  'Matches of the most frequent values of a pattern in the last 24 hours.',
  ['stream', 'filter', 'pattern'],
);

/** Metrics of reaction: the counters, and the gauges of the Python exporter with their names, labels and texts. */
export const REACTION_METRICS = {
  matches: counter('reaction_matches_total', 'Matches of a filter.', ['stream', 'filter']),
  actions: counter('reaction_actions_total', 'Runs of an action, failed ones too.', ['stream', 'filter', 'action']),
  actionFailures: counter('reaction_action_failures_total', 'Runs of an action that failed.', [
    'stream',
    'filter',
    'action',
  ]),
  commands: counter('reaction_commands_total', 'Runs of a start or stop command, failed ones too.', [
    'state',
    'command',
  ]),
  commandFailures: counter('reaction_command_failures_total', 'Runs of a start or stop command that failed.', [
    'state',
    'command',
    'code',
  ]),
  streamEvents: counter(
    'reaction_stream_events_total',
    'What happened to a stream: start, exit, exec, read, timeout.',
    ['stream', 'type'],
  ),
  patternDistinct: distinct(
    'reaction_pattern_distinct',
    'Different values of a pattern in the matches of the last 24 hours, estimated where they are more than 1,000.',
    ['stream', 'filter', 'pattern'],
  ),
  patternTop: PATTERN_TOP,
  patternTopError: topError(
    PATTERN_TOP,
    'By how much reaction_pattern_top may be too high, where a pattern has more than 10,000 values.',
  ),
  pending: gauge('reaction_pending', 'Actions that are to run later.', ['stream', 'filter', 'action']),
  up: gauge('reaction_up', '1 if reaction answered when it was last asked.', []),
  buildInfo: gauge(
    'reaction_exporter_build_info',
    "A metric with a constant '1' value labelled by version of reaction_metrics_exporter.",
    ['version'],
  ),
  statusInfo: gauge(
    'reaction_status_info',
    "A metric with a constant '1' value labelled by version of reaction and its status.",
    ['version', 'status'],
  ),
  commandsCount: since(
    'reaction_commands_count',
    'Number of commands launched by reaction, labelled with moment, success status and exit code.',
    ['state', 'command', 'status', 'code'],
  ),
  streamEventCount: since(
    'reaction_stream_event_count',
    'Number of stream events, labelled by stream name and type of event.',
    ['stream', 'type'],
  ),
  matchCount: since(
    'reaction_match_count',
    'Number of matches, labelled by stream and filter names, with pattern=match extra labels.',
    ['stream', 'filter'],
    PATTERNS,
  ),
  actionCount: since(
    'reaction_action_count',
    'Number of actions, labelled by stream, filter and action names, with pattern=match extra labels.',
    ['stream', 'filter', 'action'],
    PATTERNS,
  ),
  pendingCount: gauge(
    'reaction_pending_count',
    'Number of pending actions, labelled by stream, filter and action names, with pattern=match extra labels.',
    ['stream', 'filter', 'action'],
    PATTERNS,
  ),
} as const;
