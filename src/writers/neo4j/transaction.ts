import type { Session } from 'neo4j-driver';
import type { Event } from '../../core/event.ts';
import type { Model } from './model.ts';

/** Writes events in one transaction, which the driver repeats where two lock each other; as `Model.write`. */
export async function writeEvents(
  session: Session,
  model: Model,
  events: readonly Event[],
  timeoutMs: number,
): Promise<boolean> {
  return session.executeWrite(
    (transaction) =>
      model.write(events, async (statement, rows) => {
        const { records } = await transaction.run(statement, { rows });
        return records.map((record) => record.get('key'));
      }),
    { timeout: timeoutMs },
  );
}

/** Throws if the server lets nothing be written: makes a node and deletes it. */
export async function tryWriting(session: Session, timeoutMs: number): Promise<void> {
  await session.executeWrite((transaction) => transaction.run('CREATE (n) DELETE n'), { timeout: timeoutMs });
}
