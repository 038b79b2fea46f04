import { bareMediaType } from '../image/media-type.ts';
import type { Answer } from '../registry/client.ts';

/** What a registry's own answer with content is not: a web page, or packed by somebody on the way. */
export type Strangeness = 'page' | 'encoded';

export function strangenessOf({ header }: Pick<Answer, 'header'>): Strangeness | undefined {
  if (bareMediaType(header('content-type')) === 'text/html') return 'page';
  return (header('content-encoding') ?? '') === '' ? undefined : 'encoded';
}
