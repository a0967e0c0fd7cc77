import type { Session } from 'neo4j-driver';
import type { Logger } from 'pino';
import { codeOf } from './errors.ts';
import type { Model, SchemaItem } from './model.ts';

/** Makes what is missing of the constraints and indexes of a model; tells once where a plain index has to do. */
export function schemaOf({ schema }: Model, log: Logger): (session: Session) => Promise<void> {
  let warned = false;
  return async (session) => {
    const { records } = await session.run('SHOW INDEXES YIELD name');
    const there = new Set(records.map((record) => String(record.get('name'))));
    const plain: string[] = [];
    for (const item of schema) {
      if (there.has(item.name) || (item.plain && there.has(item.plain.name))) continue;
      if ((await make(session, item)) === 'plain') plain.push(item.name);
    }
    if (plain.length === 0 || warned) return;
    warned = true;
    log.warn(
      { constraints: plain },
      'the graph holds nodes of the same key twice: plain indexes are made instead of constraints, and both are written to',
    );
  };
}

/** By whatever another program calls it, what is wanted may be there already. */
const THERE =
  /^Neo\.ClientError\.Schema\.(?:ConstraintAlreadyExists|IndexAlreadyExists|EquivalentSchemaRuleAlreadyExists)$/;
const REFUSED = 'Neo.ClientError.Schema.ConstraintCreationFailed';

async function make(session: Session, { statement, plain }: SchemaItem): Promise<'whole' | 'plain'> {
  try {
    await session.run(statement);
  } catch (error) {
    const code = codeOf(error);
    if (THERE.test(code)) return 'whole';
    if (!plain || !isDuplicate(code)) throw error;
    await session.run(plain.statement);
    return 'plain';
  }
  return 'whole';
}

function isDuplicate(code: string): boolean {
  return code === REFUSED || code === 'Neo.DatabaseError.Schema.ConstraintCreationFailed';
}
