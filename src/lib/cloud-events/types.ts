/** The version of CloudEvents that is sent, and the only one that is understood. */
export const SPEC_VERSION = '1.0';

/** Media types of the JSON format: one event, and a list of them. */
export const STRUCTURED = 'application/cloudevents+json';
export const BATCHED = 'application/cloudevents-batch+json';

/** A value of an attribute: text in all bindings; the JSON format also has whole numbers, and true and false. */
export type AttributeValue = string | number | boolean;

/** An event as it is sent: attributes in their order, and its data. */
export interface CloudEvent {
  /** Context attributes and extensions by name; `datacontenttype` tells what `data` is. */
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  /** JSON text, or other text if `datacontenttype` says so; bytes, if it is neither; null if there is none. */
  readonly data: string | Uint8Array | null;
}

/** Whether a content type is of JSON, as its data may then stand in an event as they are. */
export function isJsonType(contentType: string): boolean {
  const media = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return media.endsWith('/json') || media.endsWith('+json');
}
