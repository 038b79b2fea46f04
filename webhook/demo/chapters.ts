import type { Action } from '../outcome/action.ts';
import type { OutcomeKind } from '../outcome/outcome.ts';

/** What Pullguard must say of one image. */
export type Verdict = { readonly outcome: OutcomeKind; readonly isProven: boolean; readonly action: Action };

/** One object of the manifest. */
export type Scene = {
  /** As kubectl names it: `Pod/http-undeclared`. */
  readonly object: string;
  /** What is the matter, for whoever watches. */
  readonly story: string;
  /** In the order of its containers, then its init containers. */
  readonly expected: readonly Verdict[];
};

/** One cause of ImagePullBackOff, by its number in the list of six. */
export type Chapter = { readonly title: string; readonly scenes: readonly Scene[] };

const pulled: Verdict = { outcome: 'pullable', isProven: true, action: 'allow' };
const refused = (outcome: OutcomeKind): Verdict => ({ outcome, isProven: true, action: 'deny' });
const warned = (outcome: OutcomeKind): Verdict => ({ outcome, isProven: false, action: 'warn' });
const scene = (object: string, story: string, ...expected: readonly Verdict[]): Scene => ({ object, story, expected });

/** All of the demo, in the order of the manifest. */
export const CHAPTERS: readonly Chapter[] = Object.freeze([
  {
    title: 'The registry speaks plain HTTP',
    scenes: [
      scene('Pod/http-undeclared', 'the nodes expect HTTPS, as of any registry', refused('http-not-declared')),
      scene('Deployment/http-declared', 'a hosts.toml on the nodes says http://', pulled),
    ],
  },
  {
    title: "The registry's certificate is not one that the nodes trust",
    scenes: [
      scene('Pod/ca-unknown', 'signed by a CA that the nodes do not have', refused('tls-unknown-authority')),
      scene('Pod/ca-declared', 'the same CA, but here the nodes have its certificate', pulled),
      scene('Pod/wrong-name', 'the certificate of another host', refused('tls-wrong-name')),
      scene('Pod/expired', 'a certificate that ended two days ago', refused('tls-expired')),
      scene(
        'Pod/client-certificate',
        'the registry wants a certificate from the nodes too',
        refused('tls-client-certificate-required'),
      ),
    ],
  },
  {
    title: 'Credentials are missing, wrong or unreadable',
    scenes: [
      scene('Pod/no-login', 'a private registry with a token service, and no pull secret', refused('access-denied')),
      scene('Pod/wrong-login', 'a pull secret whose password has changed', refused('access-denied')),
      scene('Pod/login-lacks-port', 'a pull secret whose entry lacks the port', refused('access-denied')),
      scene(
        'Deployment/login-to-come',
        'its pull secret may come with the same apply, so nothing is proven and nothing refused',
        warned('access-denied'),
      ),
      scene('Pod/right-login', 'the right pull secret', pulled),
      scene('Pod/basic-no-login', 'a registry with Basic authentication, and no pull secret', refused('access-denied')),
      scene('Pod/basic-wrong-login', 'the old password again', refused('access-denied')),
      scene('Pod/basic-right-login', 'the right pull secret', pulled),
      scene(
        'Pod/broken-secret',
        'a public image, and a pull secret that cannot be decoded',
        refused('pull-secret-malformed'),
      ),
    ],
  },
  {
    title: 'The image is damaged',
    scenes: [
      scene('StatefulSet/layer-gone', 'one of two images has lost a layer', refused('damaged'), pulled),
      scene('CronJob/config-changed', 'the config is not what its digest says', refused('damaged')),
    ],
  },
  {
    title: 'The pull would not end in time',
    scenes: [
      scene('Deployment/too-large', 'a Deployment waits ten minutes unless it says otherwise', warned('pull-too-slow')),
      scene('Job/large-with-time', 'the same image in a Job that may take two hours', pulled),
      scene('DaemonSet/throttled', 'the registry answers 429, which proves nothing', warned('rate-limited')),
    ],
  },
  {
    title: 'There is no such image',
    scenes: [
      scene('Pod/no-such-tag', 'a tag that was never pushed', refused('tag-not-found')),
      scene('Pod/no-such-repository', 'a slip of the pen', refused('repository-not-found')),
      scene('Pod/no-such-digest', 'a digest that is gone', refused('digest-not-found')),
      scene('Pod/no-such-platform', 'built for other processors than the nodes have', refused('platform-mismatch')),
      scene('Pod/not-an-image', 'a Helm chart', warned('will-not-run')),
      scene('Pod/bad-name', 'a capital letter in the path', refused('invalid-reference')),
    ],
  },
] as const satisfies readonly Chapter[]);
