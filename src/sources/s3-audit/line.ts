import { usableTime } from '../../lib/delivery.ts';
import { type AccessLine, hasUnit } from './access-log.ts';
import { parseGoDuration } from './durations.ts';
import { countOf } from './fields.ts';
import { apiLabel, bucketLabel, codeLabel, requestOutcome } from './labels.ts';
import type { AuditRecord, Format, Place } from './record.ts';
import { NS_PER_MS } from './request.ts';
import { parseLogTime } from './times.ts';

/**
 * Who wrote an access-log line. A unit behind the turn-around time tells Ceph; where that time is missing only the
 * configured format can tell, and AWS is likelier.
 */
export function lineForm(line: AccessLine, format: Format): 'aws-line' | 'ceph-line' {
  if (hasUnit(line)) return 'ceph-line';
  return format === 'ceph' && line.turn_around_time === '-' && line.total_time === '-' ? 'ceph-line' : 'aws-line';
}

/** An access-log line of AWS or Ceph as a record: work without an HTTP status (an expiry) is no request. */
export function readLine(line: AccessLine, text: string, place: Place): AuditRecord {
  const form = lineForm(line, place.format);
  const isRequest = line.http_status !== '-';
  const code = codeLabel(line.http_status);
  const { durationNs, ttfbNs, requestBytes, responseBytes } = isRequest ? numbersOf(line, form, code) : NOTHING;
  return {
    kind: isRequest ? 'request' : 'background',
    form,
    api: apiLabel(line.operation),
    bucket: bucketLabel(line.bucket),
    code: isRequest ? code : '',
    durationNs,
    ttfbNs,
    requestBytes,
    responseBytes,
    timeMs: usableTime(parseLogTime(line.time), place.arrival),
    event: '',
    outcome: requestOutcome(code),
    rawApi: line.operation,
    rawBucket: line.bucket === '-' ? '' : line.bucket,
    raw: line,
    text,
  };
}

type Numbers = Pick<AuditRecord, 'durationNs' | 'ttfbNs' | 'requestBytes' | 'responseBytes'>;

const NOTHING: Numbers = { durationNs: null, ttfbNs: null, requestBytes: null, responseBytes: null };

/** Operations whose object size is what the client sent. */
const UPLOADS: ReadonlySet<string> = new Set(['REST.PUT.OBJECT', 'REST.POST.OBJECT', 'REST.PUT.PART']);

/** Ceph writes the length of the request as bytes sent, and its whole time as turn-around time. */
function numbersOf(line: AccessLine, form: 'aws-line' | 'ceph-line', code: string): Numbers {
  if (form === 'ceph-line') {
    const total = parseGoDuration(line.turn_around_time);
    return { durationNs: total, ttfbNs: null, requestBytes: countOf(line.bytes_sent), responseBytes: null };
  }
  const isUpload = code.startsWith('2') && UPLOADS.has(line.operation);
  return {
    durationNs: nsOf(line.total_time),
    ttfbNs: nsOf(line.turn_around_time) || null,
    requestBytes: isUpload ? countOf(line.object_size) : null,
    responseBytes: countOf(line.bytes_sent),
  };
}

function nsOf(ms: string): number | null {
  const count = countOf(ms);
  return count === null ? null : count * NS_PER_MS;
}
