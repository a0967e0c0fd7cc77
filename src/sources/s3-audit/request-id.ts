import type { Data } from '../../core/event.ts';
import { ShapeReader } from '../../lib/json-shape.ts';
import { parseJson } from '../../lib/json-value.ts';
import { isFields, textOf } from './fields.ts';
import { MAPS } from './partial.ts';
import type { AuditRecord } from './record.ts';
import { entryOf } from './request.ts';

/**
 * Tells what the store calls a request by, as it told its client in `x-amz-request-id`; empty if the record does not tell.
 * Where records are read for metrics alone it is read from the line, a quarter of a record's time: it is for few of them.
 */
export class RequestIds {
  readonly #lyve = new ShapeReader({ wanted: [['auditEntry', NAME]], maps: MAPS.map((name) => ['auditEntry', name]) });
  readonly #minio = new ShapeReader({ wanted: [[NAME]], maps: MAPS.map((name) => [name]) });

  of({ form, raw, text }: AuditRecord): string {
    switch (form) {
      case 'lyve':
      case 'minio':
        return textOf(entryOf(raw)[NAME]) || this.#read(text, form === 'lyve' ? this.#lyve : this.#minio);
      case 'aws-line':
      case 'ceph-line':
        return raw.request_id === '-' ? '' : textOf(raw.request_id);
      case 'ceph-ops':
        return textOf(raw.trans_id);
      default:
        return '';
    }
  }

  #read(line: string, reader: ShapeReader): string {
    const members = reader.read(line);
    if (members) return textOf(members[0]);
    // A line of an object, as opposed to a stream of Ceph's, is nothing but JSON.
    const value = parseJson(line) as Data | undefined;
    if (!isFields(value)) return '';
    reader.learn(line);
    return textOf(entryOf(value)[NAME]);
  }
}

const NAME = 'requestID';
