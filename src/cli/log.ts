import { format } from 'node:util';
import { type Logger, pino } from 'pino';
import type { Config } from '../core/config.ts';

/** The log: JSON lines on standard error, readable ones on a terminal. */
export async function createLog(level: Config['log']['level'], terminal: boolean): Promise<Logger> {
  const detailed = level === 'trace' || level === 'debug';
  const serializers = { err: detailed ? pino.stdSerializers.err : messages };
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers };
  if (!terminal) return pino(options, pino.destination({ fd: 2, sync: true }));
  const { PinoPretty } = await import('pino-pretty');
  return pino(options, PinoPretty({ destination: 2, sync: true, colorize: true, translateTime: 'SYS:HH:MM:ss' }));
}

/** Libraries that speak to the console would break the lines of the log: what they say is for those who debug. */
export function quietConsole(log: Logger): void {
  const say = (...parts: readonly unknown[]) => log.debug({ detail: format(...parts) }, 'a library says');
  console.error = say;
  console.warn = say;
}

/** An error with its causes on one line; where in the code it happened is for those who debug. */
function messages(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messages(error.cause)}`;
}
