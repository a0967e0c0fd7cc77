import * as z from 'zod';
import { classProblems } from '../lib/cidr.ts';
import { described, integer, option, section, text } from './fields.ts';

/** Networks such as `203.0.113.0/24`, by class. */
export type AddressClasses = Readonly<Record<string, readonly string[]>>;

/** `addresses`. */
export const addressesConfig = section('What labels tell of IP addresses.', {
  classes: option(
    classes(),
    {},
    'Networks by class, such as `office: [192.0.2.0/24]`; the longest prefix wins, and what is in none is `world`.',
  ),
  prefix: section('Length of the networks that stand for their addresses.', {
    ipv4: option(integer(0, 32), 24, 'Bits of IPv4.'),
    ipv6: option(integer(0, 128), 64, 'Bits of IPv6.'),
  }),
  country: option(
    path(),
    null,
    'Database of countries in MaxMind format, such as GeoLite2-Country.mmdb; read again when it changes.',
  ),
  asn: option(path(), null, 'Database of autonomous systems, such as GeoLite2-ASN.mmdb.'),
});

/** A validated `addresses`. */
export type AddressesConfig = z.output<typeof addressesConfig>;

function path(): z.ZodType<string | null> {
  return described(text().nullable(), { kind: 'string' });
}

function classes(): z.ZodType<AddressClasses> {
  const schema = z.custom<AddressClasses>(isMap, { error: 'wanted a map with a list of networks for each class' });
  const checked = schema.superRefine((map, context) => {
    const issue = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
    const lists: [string, string[]][] = [];
    // What passed the first test is a map of whatever.
    for (const [name, cidrs] of Object.entries<unknown>(map)) {
      if (name === '' || name.length > LONGEST_NAME) {
        issue([name], `found a name of ${name.length} characters, wanted 1 to ${LONGEST_NAME}`);
      }
      if (Array.isArray(cidrs)) lists.push([name, cidrs.map(asText)]);
      else issue([name], 'wanted a list of networks, such as [192.0.2.0/24]');
    }
    for (const { name, index, text: problem } of classProblems(lists)) issue([name, index], problem);
  });
  return described(checked, { kind: 'map' });
}

const LONGEST_NAME = 63;

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isMap(value: unknown): boolean {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
