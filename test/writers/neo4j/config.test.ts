import t from 'tap';
import { type Neo4jConfig, passwordOf, targetOf } from '../../../src/writers/neo4j/config.ts';
import { neo4j } from '../../../src/writers/neo4j/index.ts';
import { configOf } from '../../support/writers.ts';

t.test('what is taken', async (t) => {
  const config = configOf(neo4j, {}) as Neo4jConfig;
  t.match(config, {
    uri: null,
    user: null,
    password: null,
    database: null,
    model: 'trails',
    retention: null,
    batch: 1_000,
    timeout: '60s',
  });
  t.same(targetOf(config, {}), { uri: 'neo4j://localhost:7687', user: 'neo4j' });
  t.same(targetOf(config, { NEO4J_URI: 'bolt://h:1', NEO4J_USER: 'u' }), { uri: 'bolt://h:1', user: 'u' });
  const written = configOf(neo4j, { uri: 'neo4j+s://db.example.test', user: 'w', retention: '90d' }) as Neo4jConfig;
  t.same(targetOf(written, { NEO4J_URI: 'bolt://h:1' }), { uri: 'neo4j+s://db.example.test', user: 'w' });
  t.equal(await passwordOf({ password: null }, {}), null);
  t.equal(await passwordOf({ password: null }, { NEO4J_PASSWORD: 'x' }), 'x');
  t.equal(await passwordOf({ password: { env: 'P' } }, { P: 'y', NEO4J_PASSWORD: 'x' }), 'y');
  t.throws(
    () => targetOf(config, { NEO4J_URI: 'db:7687' }),
    /^\$NEO4J_URI: found another form, wanted an address such as/,
  );
  for (const uri of ['bolt://[::1]:7687', 'NEO4J://h', 'neo4j://h:7687?policy=eu', 'bolt+ssc://h'])
    t.ok(configOf(neo4j, { uri }), uri);
});

t.test('what the environment says wrongly is a fault of the configuration', async (t) => {
  const fault = (section: object, env: NodeJS.ProcessEnv) =>
    neo4j.against?.(configOf(neo4j, section), {} as never, env);
  t.equal(fault({}, {}), null);
  t.match(fault({}, { NEO4J_URI: 'db:7687' }), [[], /^\$NEO4J_URI: found another form/]);
  t.equal(fault({ uri: 'bolt://h' }, { NEO4J_URI: 'db:7687' }), null);
});

t.test('what is refused', async (t) => {
  const cases: readonly (readonly [section: object, message: string])[] = [
    [{ uri: 'http://h:7474' }, 'uri: found http://, which is for browsers, wanted an address such as'],
    [{ uri: 'localhost:7687' }, 'uri: found another form, wanted an address such as'],
    [{ uri: 'neo4j://me:secret@h' }, 'uri: found user or password in the address, wanted them as user and password'],
    [{ uri: 'neo4j://h/db' }, 'uri: found a path in the address, wanted the name of a database as database'],
    [{ uri: 'neo4j://h h' }, 'uri: found an address that cannot be read'],
    [{ uri: 'neo4j://' }, 'uri: found an address that cannot be read'],
    [{ uri: 5 }, 'uri: wanted an address such as'],
    [{ model: 'other' }, 'model: wanted one of trails, cloudtrace'],
    [{ retention: '90d', model: 'cloudtrace' }, 'retention: found retention beside model cloudtrace'],
    [{ retention: 0 }, 'retention: found no time at all, wanted one such as 90d'],
    [{ uri: 'bolt+ssc://h', ca: '/x' }, 'ca: found ca beside an address with +ssc'],
  ];
  for (const [section, message] of cases) {
    t.throws(() => configOf(neo4j, section), new RegExp(`^${message.replace(/[+/$]/g, '\\$&')}`), message);
    t.throws(() => configOf(neo4j, section), /^(?!.*secret@)/);
  }
});
