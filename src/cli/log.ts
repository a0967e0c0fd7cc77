import { type Logger, pino } from 'pino';
import type { Config } from '../core/config.ts';

/** The log: JSON lines on standard error, readable ones on a terminal. */
export async function createLog(level: Config['log']['level'], terminal: boolean): Promise<Logger> {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (!terminal) return pino(options, pino.destination({ fd: 2, sync: true }));
  const { PinoPretty } = await import('pino-pretty');
  return pino(options, PinoPretty({ destination: 2, sync: true, colorize: true, translateTime: 'SYS:HH:MM:ss' }));
}
