import { writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { POLICY_JSON_SCHEMA } from '../webhook/policy/json-schema.ts';

// node deploy/write-policy-schema.ts
const text = await format(JSON.stringify(POLICY_JSON_SCHEMA), { parser: 'json', printWidth: 120 });
writeFileSync(new URL('policy.schema.json', import.meta.url), text);
