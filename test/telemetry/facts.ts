import type { ReviewFacts } from '../../webhook/admission/facts.ts';

export function factsOf(changes: Partial<ReviewFacts> = {}): ReviewFacts {
  return {
    uid: 'uid-1',
    operation: 'CREATE',
    namespace: 'team',
    kind: 'Pod',
    name: 'web',
    isDryRun: false,
    verdict: 'denied',
    mode: 'enforce',
    images: [
      { image: 'app:1', outcome: 'pullable', isConclusive: true, action: 'allow', intended: 'allow' },
      { image: 'gone:1', outcome: 'tag-not-found', isConclusive: true, action: 'deny', intended: 'deny' },
    ],
    unlisted: 0,
    requests: 3,
    tookMs: 41.4,
    errors: [],
    ...changes,
  };
}
