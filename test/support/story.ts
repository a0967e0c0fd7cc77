import type { Random } from './random.ts';
import { seriesKey } from './strict-exposition.ts';

/** One line of an invented log of reaction, and all that it does to counters and gauges. */
export interface StoryLine {
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The systemd invocation that wrote it. */
  readonly invocation: string;
  /** Keys of the series that grow by 1. */
  readonly counted: readonly string[];
}

/** A log of reaction that goes on for ever, and the truth about it. */
export interface Story {
  readonly lines: readonly StoryLine[];
  /** Tells one more line. */
  tell(): StoryLine;
  /** reaction is started anew by systemd: a new invocation. */
  restart(): void;
}

export interface StoryOptions {
  readonly random: Random;
  readonly holdMs: number;
  /** Lines carry their time, as in a file; in the journal the entry has it. */
  readonly stamped: boolean;
  /** Time of the first line. */
  readonly begin: number;
}

/**
 * Invents a log for the configuration in `test/fixtures/reaction/answers/test-config.yaml`. What its lines count is
 * worked out here from what is told, not from the text: `formats` of reaction as its documentation has them, runs and
 * failures paired by arguments, runs within `holdMs` of a start held.
 */
export function tellStory(options: StoryOptions): Story {
  const teller = new Teller(options);
  return {
    lines: teller.lines,
    tell: () => teller.tell(),
    restart: () => teller.restart(),
  };
}

const IPS = ['198.51.100.1', '198.51.100.2', '198.51.100.3', '2001:db8::1', '2001:db8::2', '192.0.2.77'] as const;
const EMAILS = ['mallory@example.org', 'eve@example.net', 'x"y\\z@example.com'] as const;
const HOSTS = ['web.example', 'www.example'] as const;
const BROWSERS = [
  'Mozilla/5.0 (X11; Linux)',
  'a"b\\c',
  'x] y", "z',
  'zwölf 🦊',
  'tab\tend',
  'two\nlines',
  'nul\0byte',
] as const;
const STREAMS = ['ssh', 'mail', 'nginx', 'cloud', 'unheard of'] as const;
const CODES = ['exit code: 1', 'exit status: 127', 'signal: 9', 'No such file or directory (os error 2)'] as const;
const CODE_LABELS: Readonly<Record<(typeof CODES)[number], string>> = {
  'exit code: 1': '1',
  'exit status: 127': '127',
  'signal: 9': '137',
  'No such file or directory (os error 2)': 'none',
};
const COMMANDS = ['ip46tables', 'nft'] as const;
/** INFO lines of a head among which an ERROR line looks for its own. */
const KEPT = 1_000;

/** Labels in a fixed order, without those that are not known. */
type Labels = readonly (readonly [string, string])[];

/** What an action of the configuration tells of its run. */
interface Shape {
  readonly stream: string;
  readonly filter: string;
  readonly action: string;
  readonly args: readonly string[] | null;
  readonly labels: Labels;
}

interface Announced {
  readonly args: string;
  readonly held: boolean;
  open: boolean;
}

class Teller {
  readonly lines: StoryLine[] = [];
  readonly #options: StoryOptions;
  readonly #announced = new Map<string, Announced[]>();
  readonly #mails: (readonly [email: string, ip: string])[] = [];
  #time: number;
  #until = Number.NEGATIVE_INFINITY;
  #invocation = 1;
  #toldInvocation = 1;
  #counted: string[] = [];

  constructor(options: StoryOptions) {
    this.#options = options;
    this.#time = options.begin;
  }

  restart(): void {
    this.#invocation += 1;
  }

  tell(): StoryLine {
    const { random, stamped } = this.#options;
    this.#time += random.within(0, 3_000);
    this.#counted = [];
    this.#count('trailgauge_source_items_total', [['source', 'reaction']]);
    if (!stamped && this.#toldInvocation !== this.#invocation) this.#started();
    this.#toldInvocation = this.#invocation;
    const said = this.#say();
    const text = stamped && said !== '' ? `${new Date(this.#time).toISOString()} ${said}` : said;
    const invocation = String(this.#invocation).padStart(32, 'e');
    const line = { text, time: this.#time, invocation, counted: this.#counted };
    this.lines.push(line);
    return line;
  }

  #say(): string {
    const { random } = this.#options;
    const roll = random.next();
    if (roll < 0.45) return decorated(random, this.#match());
    if (roll < 0.75) return decorated(random, this.#run());
    if (roll < 0.8) return this.#command();
    if (roll < 0.9) return this.#streamEvent();
    return this.#noise();
  }

  #match(): string {
    const { random } = this.#options;
    const roll = random.next();
    if (roll < 0.6) {
      const ip = random.pick(IPS);
      return this.#matched('ssh', 'failedlogin', { values: [ip], labels: [['ip', ip]] });
    }
    if (roll < 0.75) {
      const email = random.pick(EMAILS);
      const ip = random.pick(IPS);
      this.#mails.unshift([email, ip]);
      return this.#matched('mail', 'sasl', { values: [email, ip], labels: [...mailLabels(email, ip)] });
    }
    if (roll < 0.9) {
      const [host, browser, ip] = [random.pick(HOSTS), random.pick(BROWSERS), random.pick(IPS)];
      const labels = [
        ['Host', host],
        ['browser', browser],
        ['ip', ip],
      ] as const;
      return this.#matched('nginx', 'browsers', { values: [host, browser, ip], labels });
    }
    if (roll < 0.95) return this.#matched('nginx', 'nopattern', { values: [], labels: [] });
    return this.#matched('other stream', 'odd', { values: [random.pick(IPS), 'two'], labels: [] });
  }

  #matched(stream: string, filter: string, { values, labels }: { values: readonly string[]; labels: Labels }): string {
    this.#count('reaction_matches_total', [
      ['stream', stream],
      ['filter', filter],
    ]);
    this.#count('reaction_match_count', [['stream', stream], ['filter', filter], ...labels]);
    return `INFO ${stream}.${filter}: match [${values.map(quoted).join(', ')}]`;
  }

  #run(): string {
    const { random } = this.#options;
    const shape = this.#shape();
    const { stream, filter, action } = shape;
    const names = [
      ['stream', stream],
      ['filter', filter],
      ['action', action],
    ] as const;
    const failed = random.chance(0.3);
    const args = shape.args ? JSON.stringify(shape.args) : 'not told';
    const before = failed ? this.#use(`${stream}.${filter}.${action}`, args) : undefined;
    const held = before ? before.held : this.#time < this.#until;
    if (!failed) this.#announce(`${stream}.${filter}.${action}`, args, held);
    if (held) this.#count('trailgauge_source_duplicates_total', [['source', 'reaction']]);
    if (failed && !held) this.#count('reaction_action_failures_total', names);
    if (!before && !held) {
      this.#count('reaction_actions_total', names);
      this.#count('reaction_action_count', [...names, ...shape.labels]);
    }
    const list = shape.args ? `[${shape.args.map(quoted).join(' ')}]` : `nftables ["add", "x"]`;
    return `${failed ? 'ERROR' : 'INFO'} ${stream}.${filter}.${action}: run ${list}${failed ? ': exit code: 1' : ''}`;
  }

  #shape(): Shape {
    const { random } = this.#options;
    const ip = random.pick(IPS);
    const roll = random.next();
    const ssh = { stream: 'ssh', filter: 'failedlogin', labels: [['ip', ip]] as const };
    if (roll < 0.4)
      return { ...ssh, action: 'ban', args: ['ip46tables', '-w', '-A', 'reaction', '-s', ip, '-j', 'DROP'] };
    if (roll < 0.6)
      return { ...ssh, action: 'unban', args: ['ip46tables', '-w', '-D', 'reaction', '-s', ip, '-j', 'DROP'] };
    // It runs later and does not say for whom.
    if (roll < 0.7) return { ...ssh, action: 'mail', args: ['sendmail', 'root@example.net'], labels: [] };
    const mail = { stream: 'mail', filter: 'sasl' };
    if (roll < 0.8) {
      // It says nothing: it belongs to the newest match.
      const newest = this.#mails[0];
      return { ...mail, action: 'ban', args: null, labels: newest ? mailLabels(...newest) : [] };
    }
    if (roll < 0.9) {
      const newest = this.#mails.slice(0, KEPT).find(([, of]) => of === ip);
      const labels = newest ? mailLabels(...newest) : ([['ip', ip]] as const);
      return { ...mail, action: 'ban4', args: ['iptables', '-A', 'reaction', '-s', ip, '-j', 'DROP'], labels };
    }
    return {
      stream: 'nginx',
      filter: 'nopattern',
      action: 'reload',
      args: ['systemctl', 'reload', 'nginx'],
      labels: [],
    };
  }

  #command(): string {
    const { random } = this.#options;
    // Starts are rare, as they hold back what comes after them.
    const state = random.chance(0.15) ? 'start' : 'stop';
    const command = random.pick(COMMANDS);
    const args = [command, '-w', random.pick(['a', 'b c'])];
    const failed = random.chance(0.4);
    const tail = random.pick(CODES);
    if (state === 'start') this.#started();
    const head = `${state} command`;
    const before = failed ? this.#use(head, JSON.stringify(args)) : undefined;
    if (!failed) this.#announce(head, JSON.stringify(args), false);
    const names = [
      ['state', state],
      ['command', command],
    ] as const;
    const code = failed ? CODE_LABELS[tail] : '0';
    if (!before) this.#count('reaction_commands_total', names);
    if (failed) this.#count('reaction_command_failures_total', [...names, ['code', code]]);
    this.#count('reaction_commands_count', [...names, ['status', failed ? 'False' : 'True'], ['code', code]]);
    return `${failed ? 'ERROR' : 'INFO'} ${head}: run [${args.map(quoted).join(', ')}]${failed ? `: ${tail}` : ''}`;
  }

  #streamEvent(): string {
    const { random } = this.#options;
    const stream = random.pick(STREAMS);
    const roll = random.next();
    const [type, said] =
      roll < 0.1
        ? (['start', `INFO ${stream}: start ["tail", "-F"]`] as const)
        : roll < 0.4
          ? (['exit', `ERROR stream ${stream} exited: exit status: 1`] as const)
          : roll < 0.6
            ? (['exec', `ERROR could not execute stream ${stream} cmd: not found`] as const)
            : roll < 0.8
              ? (['read', `ERROR impossible to read output from stream ${stream}: broken`] as const)
              : (['timeout', `ERROR child process of stream ${stream} did not terminate`] as const);
    if (type === 'start') this.#started();
    this.#count('reaction_stream_events_total', [
      ['stream', stream],
      ['type', type],
    ]);
    this.#count('reaction_stream_event_count', [
      ['stream', stream],
      ['type', type],
    ]);
    return said;
  }

  #noise(): string {
    const { random } = this.#options;
    const reject = (reason: string) =>
      this.#count('trailgauge_source_rejected_total', [
        ['source', 'reaction'],
        ['reason', reason],
      ]);
    switch (random.within(0, 5)) {
      case 0:
        return '';
      case 1:
        return 'DEBUG nothing to see';
      case 2:
        return 'INFO received SIGTERM, closing streams...';
      case 3:
        reject('no_level');
        return `thread 'main' panicked at src/main.rs:${random.within(1, 999)}`;
      case 4:
        reject('unknown_line');
        return 'WARN something is odd';
      default:
        reject('malformed_list');
        return 'INFO ssh.failedlogin: match ["198.51.100.1';
    }
  }

  #started(): void {
    this.#until = Math.max(this.#until, this.#time + this.#options.holdMs);
  }

  #announce(head: string, args: string, held: boolean): void {
    const list = this.#announced.get(head) ?? [];
    this.#announced.set(head, list);
    list.unshift({ args, held, open: true });
    list.length = Math.min(list.length, KEPT);
  }

  /** The newest INFO line that this ERROR line belongs to. */
  #use(head: string, args: string): Announced | undefined {
    const found = this.#announced.get(head)?.find((line) => line.open && line.args === args);
    if (found) found.open = false;
    return found;
  }

  #count(name: string, labels: Labels): void {
    this.#counted.push(seriesKey(name, labels));
  }
}

function mailLabels(email: string, ip: string): Labels {
  return [
    ['email', email],
    ['ip', ip],
  ];
}

/** As reaction 2 prints a value. */
function quoted(value: string): string {
  const escapes: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\0': '\\0' };
  return `"${value.replaceAll(/["\\\n\t\0]/g, (character) => escapes[character] ?? character)}"`;
}

/** What terminals and other systems leave around a line. */
function decorated(random: Random, text: string): string {
  const roll = random.next();
  if (roll < 0.03) return `\x1b[32m${text}\x1b[0m`;
  if (roll < 0.06) return `${text}\r`;
  if (roll < 0.09) return ` ${text}`;
  return text;
}
