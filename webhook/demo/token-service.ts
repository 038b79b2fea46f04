import { randomBytes } from 'node:crypto';
import type { TlsOptions } from 'node:tls';
import { errorAnswer, jsonAnswer, type Answer } from './answer.ts';
import { serveAnswers, type LoopbackServer } from './loopback-server.ts';
import type { Question } from './question.ts';
import type { Bend } from './registry.ts';

export type DemoTokenService = {
  readonly server: LoopbackServer;
  /** Makes a registry ask for this service's tokens; `name` is the service's own, as a challenge gives it. */
  readonly bearerAuth: (name: string) => Bend;
};

/** A token service as registries have it (distribution, "Token Authentication Specification"), for these users alone. */
export async function startDemoTokens(
  tls: TlsOptions,
  passwords: Readonly<Record<string, string>>,
): Promise<DemoTokenService> {
  const issued = new Set<string>();
  const server = await serveAnswers({ tls }, (question) => answerToken(question, passwords, issued));
  return {
    server,
    bearerAuth: (name) => (question, answer) => {
      const [, token = ''] = (question.headers.authorization ?? '').split(' ');
      if (issued.has(token)) return answer;
      const realm = `https://${name}:${server.port}/token`;
      const { route } = question;
      const scope = 'repository' in route ? `,scope="repository:${route.repository}:pull"` : '';
      const challenge = `Bearer realm="${realm}",service="${question.url.host}"${scope}`;
      return errorAnswer(401, 'UNAUTHORIZED', { 'www-authenticate': challenge });
    },
  };
}

/** containerd posts the login as a form, other runtimes send it in a header. */
function answerToken(
  { method, headers, body }: Question,
  passwords: Readonly<Record<string, string>>,
  issued: Set<string>,
): Answer {
  const form = new URLSearchParams(body);
  const [, basic = ''] = (headers.authorization ?? '').split(' ');
  const login =
    method === 'POST'
      ? `${form.get('username') ?? ''}:${form.get('password') ?? ''}`
      : Buffer.from(basic, 'base64').toString('utf8');
  const isKnown = Object.entries(passwords).some(([user, password]) => login === `${user}:${password}`);
  if (!isKnown) return errorAnswer(401, 'UNAUTHORIZED');
  const token = randomBytes(16).toString('hex');
  issued.add(token);
  return jsonAnswer(200, { token, access_token: token, expires_in: 300 });
}
