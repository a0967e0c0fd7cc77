import { defineSource } from '../../core/source.ts';
import { checkReaction } from './check.ts';
import { type ReactionConfig, reactionConfig } from './config.ts';
import { type Line, splitLines } from './lines.ts';
import { REACTION_METRICS } from './metrics.ts';
import type { Observed } from './observed.ts';
import { openReaction } from './open.ts';

/** The reaction daemon: its log in the journal or a file, and what its own commands tell. */
export const reaction = defineSource<ReactionConfig, typeof REACTION_METRICS, Line, Observed>({
  type: 'reaction',
  summary: 'The reaction daemon, by its log in the journal or a file, its configuration and its pending actions.',
  replay: 'Read again from the saved place in the journal or the file: every line counts once.',
  config: reactionConfig,
  metrics: REACTION_METRICS,
  sampleMs: 10_000,
  open: openReaction,
  split: (input) => splitLines(input, 0, { origin: { cursor: 'input' }, time: null, now: Date.now() }),
  check: checkReaction,
});
