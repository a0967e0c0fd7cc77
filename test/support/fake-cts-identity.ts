import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type CtsAnswer, jsonAnswer } from './fake-cts-faults.ts';
import { type FakeDialect, signatureFault } from './fake-cts-signature.ts';

/** Who and what the fake cloud knows; all of it may be changed while it runs. */
export interface CloudFacts {
  region: string;
  projectId: string;
  projectName: string;
  domainId: string;
  domainName: string;
  userId: string;
  userName: string;
  password: string;
  userDisabled: boolean;
  /** How long tokens live, in milliseconds. */
  tokenLifeMs: number;
  /** Characters that a token has at least. */
  tokenLength: number;
  /** Whether there is the service in the catalog. */
  hasService: boolean;
  readonly keys: Map<string, string>;
  readonly securityTokens: Map<string, string>;
  readonly dialects: Set<FakeDialect>;
}

/** What is known unless told otherwise. */
export function cloudFacts(): CloudFacts {
  return {
    region: 'eu-de',
    projectId: 'b7a1d2c3e4f5061728394a5b6c7d8e9f',
    projectName: 'eu-de_winery',
    domainId: '0c1d2e3f405162738495a6b7c8d9eafb',
    domainName: 'OTC00000000001000009999',
    userId: '11aa22bb33cc44dd55ee66ff77008899',
    userName: 'mara.winter',
    password: 'not-a-real-one',
    userDisabled: false,
    tokenLifeMs: 24 * 3_600_000,
    tokenLength: 0,
    hasService: true,
    keys: new Map([['AKINVENTED0123456789', 'SK/invented+0123456789abcdefghijklmnopqr']]),
    securityTokens: new Map(),
    dialects: new Set(['credential', 'access']),
  };
}

export interface Asked {
  readonly request: IncomingMessage;
  readonly body: string;
  readonly query: URLSearchParams;
  readonly origin: string;
  readonly now: number;
}

/** Keystone: tokens, projects and the catalog. */
export class FakeIdentity {
  readonly #facts: CloudFacts;
  /** When each token ends. */
  readonly #tokens = new Map<string, number>();

  constructor(facts: CloudFacts) {
    this.#facts = facts;
  }

  /** All tokens die at once. */
  revoke(): void {
    this.#tokens.clear();
  }

  /** Lets a token in as if it had been asked for. */
  grant(token: string, until = Number.POSITIVE_INFINITY): void {
    this.#tokens.set(token, until);
  }

  token({ body, origin, now }: Asked): CtsAnswer {
    const facts = this.#facts;
    const asked = readTokenRequest(body);
    if (!asked) return keystoneError(400, 'Malformed');
    const isUser = asked.userId === facts.userId || (asked.userName === facts.userName && this.#isDomain(asked));
    if (!isUser || asked.password !== facts.password) return keystoneError(401, 'The username or password is wrong.');
    if (facts.userDisabled) return keystoneError(403, 'The user is disabled.');
    if (asked.projectId !== facts.projectId && asked.projectName !== facts.projectName) {
      return keystoneError(400, `Could not find project: ${asked.projectId ?? asked.projectName}`);
    }
    const token = `FAKE-${randomUUID()}`.padEnd(facts.tokenLength, 'x');
    this.#tokens.set(token, now + facts.tokenLifeMs);
    const domain = { id: facts.domainId, name: facts.domainName };
    const granted = {
      issued_at: new Date(now).toISOString(),
      expires_at: new Date(now + facts.tokenLifeMs).toISOString(),
      methods: ['password'],
      project: { id: facts.projectId, name: facts.projectName, domain },
      user: { id: facts.userId, name: facts.userName, domain },
      catalog: this.#catalog(origin),
    };
    return jsonAnswer(201, { token: granted }, { 'x-subject-token': token });
  }

  /** As the far end does it: by the beginning of the name. */
  projects(asked: Asked): CtsAnswer {
    const fault = this.refusal(asked);
    if (fault !== null) return keystoneError(401, fault);
    const { projectId, projectName, domainId } = this.#facts;
    const all = [
      { id: 'f'.repeat(32), name: `${projectName}_test`, domain_id: domainId, enabled: true },
      { id: projectId, name: projectName, domain_id: domainId, enabled: true },
    ];
    const name = asked.query.get('name') ?? '';
    return jsonAnswer(200, { projects: all.filter((one) => one.name.startsWith(name)), links: {} });
  }

  catalog(asked: Asked): CtsAnswer {
    const fault = this.refusal(asked);
    return fault === null
      ? jsonAnswer(200, { catalog: this.#catalog(asked.origin), links: {} })
      : keystoneError(401, fault);
  }

  /** Why a request is not let in, or null. */
  refusal({ request, body, now }: Asked): string | null {
    const token = request.headers['x-auth-token'];
    if (token === undefined) {
      const { keys, securityTokens, dialects } = this.#facts;
      return signatureFault(request, body, { keys, securityTokens, dialects, now });
    }
    const until = this.#tokens.get(String(token));
    return until !== undefined && until > now ? null : 'Incorrect IAM authentication information: token expires';
  }

  #isDomain({ domainId, domainName }: TokenRequest): boolean {
    return domainId === this.#facts.domainId || domainName === this.#facts.domainName;
  }

  #catalog(origin: string): unknown {
    const { region, projectId, hasService } = this.#facts;
    const endpoint = (where: string, url: string, kind = 'public') => ({
      interface: kind,
      region: where,
      region_id: where,
      url,
    });
    const service = {
      type: 'cts',
      endpoints: [
        endpoint('elsewhere', `http://192.0.2.1/v1.0/${projectId}`),
        endpoint(region, `http://192.0.2.2/v1.0/${projectId}`, 'internal'),
        endpoint(region, `${origin}/v1.0/${projectId}`),
      ],
    };
    return [
      { type: 'network', endpoints: [endpoint(region, 'https://vpc.example.test')] },
      ...(hasService ? [service] : []),
      { type: 'identity', endpoints: [endpoint('*', `${origin}/v3`)] },
    ];
  }
}

interface TokenRequest {
  readonly userId: string | undefined;
  readonly userName: string | undefined;
  readonly domainId: string | undefined;
  readonly domainName: string | undefined;
  readonly password: string | undefined;
  readonly projectId: string | undefined;
  readonly projectName: string | undefined;
}

interface Named {
  readonly id?: string;
  readonly name?: string;
}

function readTokenRequest(body: string): TokenRequest | null {
  try {
    const { auth } = JSON.parse(body) as {
      auth: {
        identity: { methods: string[]; password: { user: Named & { domain?: Named; password: string } } };
        scope: { project: Named };
      };
    };
    const { user } = auth.identity.password;
    const { project } = auth.scope;
    if (auth.identity.methods.join() !== 'password') return null;
    return {
      userId: user.id,
      userName: user.name,
      domainId: user.domain?.id,
      domainName: user.domain?.name,
      password: user.password,
      projectId: project.id,
      projectName: project.name,
    };
  } catch {
    return null;
  }
}

function keystoneError(code: number, message: string): CtsAnswer {
  return jsonAnswer(code, { error: { code, message, title: 'Error' } });
}
