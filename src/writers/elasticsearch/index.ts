import { defineWriter, type OpenedWriter, unableWriter, type WriterContext } from '../../core/writer.ts';
import { durationMs } from '../../lib/duration.ts';
import { type Connection, openConnection, type Send } from '../connection.ts';
import { held, messageOf, startTally, unanswered } from '../tally.ts';
import { bulkItem, documentId } from './bulk.ts';
import { checkElasticsearch } from './check.ts';
import {
  type ElasticsearchConfig,
  elasticsearchConfig,
  environmentFault,
  hasTarget,
  NO_TARGET,
  secretOf,
  targetOf,
} from './config.ts';
import { eventDocument } from './document.ts';
import { noDoubt } from './doubt.ts';
import { type BulkSecret, bulkRequest } from './request.ts';
import { sinkDocument } from './sink.ts';
import { putTemplate, type TemplatePlan } from './templates.ts';
import { writeDocuments } from './write.ts';

/** Elasticsearch, OpenSearch, and what takes their bulk requests. */
export const elasticsearch = defineWriter<ElasticsearchConfig>({
  type: 'elasticsearch',
  summary: 'Elasticsearch, OpenSearch, VictoriaLogs, Quickwit, ZincSearch: one document for each event.',
  repeats: 'A document is created once by its id. VictoriaLogs and Quickwit know no ids: there it is twice.',
  config: elasticsearchConfig,
  against: (config, _core, env) => environmentFault(config, env),
  open: openElasticsearch,
  check: (config, context, signal) =>
    checkElasticsearch({
      config,
      target: () => targetOf(config, context.env),
      connection: connect(config, context),
      signal,
    }),
});

function openElasticsearch(config: ElasticsearchConfig, context: WriterContext): OpenedWriter {
  const { log, env } = context;
  if (!hasTarget(config, env)) return unableWriter(NO_TARGET);
  const target = targetOf(config, env);
  if (env.ES_SUBTABLE) log.warn('ES_SUBTABLE is ignored: document types are no more, since Elasticsearch 8');
  const connection = connect(config, context);
  const template = templateOnce({ target, template: config.template, documents: config.documents }, log);
  const doubt = noDoubt();
  const document = config.documents === 'sink' ? sinkDocument : eventDocument;
  return {
    write: async (events, signal) => {
      const send = await connection.prepare(signal).catch((error: unknown) => messageOf(error));
      if (typeof send === 'string') return startTally().written(held(send));
      const missed = await template.put(send).then(() => null, unanswered);
      const written = missed
        ? startTally().written(missed)
        : await writeDocuments(events, {
            item: (event) => bulkItem(target.index, documentId(event.source, event.id), document(event)),
            send: (body) => send((secret) => bulkRequest(target.url, secret, body)),
            doubt,
          });
      if (written.kind === 'later') {
        // What was refused may be a secret that has been replaced, or a server with a new certificate.
        connection.forget();
        if (written.hold) template.retry();
      }
      return written;
    },
    close: async () => connection.close(),
  };
}

interface TemplateOnce {
  /** Throws if no answer comes, and is then to be called again: the first document makes the index. */
  put(send: Send<BulkSecret>): Promise<void>;
  /** The user was refused: what the template was refused for may be put right with it. */
  retry(): void;
}

function templateOnce(plan: TemplatePlan, log: WriterContext['log']): TemplateOnce {
  let state: 'to do' | 'done' | 'refused' = 'to do';
  let warned = false;
  return {
    put: async (send) => {
      if (state !== 'to do') return;
      const result = await putTemplate(plan, send);
      state = result.kind === 'refused' ? 'refused' : 'done';
      if (result.kind !== 'refused' || warned) return;
      warned = true;
      log.warn({ reason: result.text }, 'the index template cannot be put; documents are sent all the same');
    },
    retry: () => {
      if (state === 'refused') state = 'to do';
    },
  };
}

function connect(config: ElasticsearchConfig, { env, now }: WriterContext): Connection<BulkSecret> {
  const { ca, timeout } = config;
  return openConnection({ timeoutMs: durationMs(timeout), ca, now, readSecret: () => secretOf(config, env) });
}
