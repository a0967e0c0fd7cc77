import type { HttpAnswer } from '../../lib/http.ts';
import type { Send } from '../connection.ts';
import { reasonIn } from './answer.ts';
import type { Document } from './bulk.ts';
import type { BulkTarget, TemplateConfig } from './config.ts';
import { type BulkSecret, serverRequest } from './request.ts';
import { serverOf, templateBody } from './template.ts';

/** What became of the template: `refused` tells why in one line, and that data go on all the same. */
export type TemplateResult =
  | { readonly kind: 'there' | 'put' | 'none' }
  | { readonly kind: 'refused'; readonly text: string };

export interface TemplatePlan {
  readonly target: BulkTarget;
  readonly template: TemplateConfig;
  readonly documents: 'event' | 'sink';
}

/**
 * Puts the index template, unless there is one of its name: that one is never replaced. `auto` puts none for
 * `documents: sink`, whose records of many shapes it does not describe. Throws if no answer comes.
 */
export async function putTemplate(plan: TemplatePlan, send: Send<BulkSecret>): Promise<TemplateResult> {
  const { target, template, documents } = plan;
  if (template === false || (template === 'auto' && documents === 'sink')) return { kind: 'none' };
  const { url, index } = target;
  const path = templatePath(index);
  const found = await send((secret) => serverRequest(url, secret, path));
  if (isGood(found)) return { kind: 'there' };
  if (found.status !== 404) return refused('GET', path, found);
  const body = await bodyOf(template, target, send);
  const putAs = (wanted: Document) => send((secret) => serverRequest(url, secret, path, JSON.stringify(wanted)));
  let put = await putAs(body);
  // Of templates that match the same names each needs a priority of its own: ours gives way.
  if (template === 'auto' && isTaken(put)) put = await putAs({ ...body, priority: lowerPriority(index) });
  return isGood(put) ? { kind: 'put' } : refused('PUT', path, put);
}

/** Below the address of the server. */
export function templatePath(index: string): string {
  return `_index_template/${encodeURIComponent(index)}`;
}

async function bodyOf(
  template: 'auto' | Document,
  { url, index }: BulkTarget,
  send: Send<BulkSecret>,
): Promise<Document> {
  if (template !== 'auto') return { index_patterns: [`${index}*`], ...template };
  // What a server does not tell of itself is taken for the least that all have.
  const { status, text } = await send((secret) => serverRequest(url, secret, ''));
  return templateBody(index, serverOf(status === 200 ? text : ''));
}

function isGood({ status }: HttpAnswer): boolean {
  return status >= 200 && status < 300;
}

/** Another template matches some of the same names, and has the same priority. */
function isTaken({ status, text }: HttpAnswer): boolean {
  return status === 400 && text.includes('same priority');
}

/** Below 200, and above the templates that Elasticsearch brings along; another one for a longer name. */
function lowerPriority(index: string): number {
  return Math.max(101, 200 - Buffer.byteLength(index));
}

function refused(method: string, path: string, { status, text }: HttpAnswer): TemplateResult {
  return { kind: 'refused', text: `${method} ${path}: HTTP ${status}${reasonIn(text)}` };
}
