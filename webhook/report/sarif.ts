import { createHash } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { DEFAULT_ACTIONS, DEFAULT_FINDING_ACTIONS, type Action } from '../outcome/action.ts';
import { FINDING_KINDS, type FindingKind } from '../outcome/finding.ts';
import { describeFinding, toPrintable } from '../outcome/message.ts';
import { OUTCOME_KINDS, type OutcomeKind } from '../outcome/outcome.ts';
import { messageOf } from './json.ts';
import type { CheckResult } from './result.ts';
import { FINDING_RULES, OUTCOME_RULES, type RuleText } from './rule-text.ts';

type Json = Readonly<Record<string, unknown>>;
type RuleId = OutcomeKind | FindingKind;

const LEVEL = Object.freeze({ deny: 'error', warn: 'warning', allow: 'note' } as const satisfies Record<
  Action,
  string
>);
const RULE_IDS: readonly RuleId[] = Object.freeze([...OUTCOME_KINDS, ...FINDING_KINDS]);

/**
 * SARIF 2.1.0 (OASIS), one run. Pullable images are no results: code scanning shows whatever is listed as a problem.
 * Ends in a line break.
 */
export function formatSarif(results: readonly CheckResult[], tool: { readonly version: string }): string {
  const driver = {
    name: 'pullguard',
    version: tool.version,
    rules: [
      ...OUTCOME_KINDS.map((kind) => ruleToJson(kind, OUTCOME_RULES[kind], DEFAULT_ACTIONS[kind].proven)),
      ...FINDING_KINDS.map((kind) => ruleToJson(kind, FINDING_RULES[kind], DEFAULT_FINDING_ACTIONS[kind])),
    ],
  };
  const document = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results: results.flatMap(resultsOf) }],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function ruleToJson(id: RuleId, text: RuleText, action: Action): Json {
  return {
    id,
    name: id.replace(/(?:^|-)(?<letter>[a-z])/gu, (_match, letter: string) => letter.toUpperCase()),
    shortDescription: { text: text.title },
    fullDescription: { text: `${text.title}. ${text.help}` },
    help: { text: text.help },
    defaultConfiguration: { level: LEVEL[action] },
  };
}

function resultsOf(result: CheckResult): readonly Json[] {
  const { outcome, isConclusive, findings } = result.prediction;
  const isFine = outcome.kind === 'pullable' && (result.action === 'allow' || findings.length > 0);
  const verdict = isFine
    ? []
    : [toJson(result, outcome.kind, LEVEL[result.action], messageOf(result), { outcome: outcome.kind, isConclusive })];
  const others = findings.map((finding) => {
    // beside a pullable image the findings alone decided the action
    const action = isFine ? result.action : DEFAULT_FINDING_ACTIONS[finding.kind];
    return toJson(result, finding.kind, LEVEL[action], describeFinding(finding), {});
  });
  return [...verdict, ...others];
}

function toJson(result: CheckResult, id: RuleId, level: string, text: string, facts: Json): Json {
  const identity = JSON.stringify([
    result.object,
    result.path,
    result.image,
    id,
    facts['outcome'] === undefined ? text : '',
  ]);
  return {
    ruleId: id,
    ruleIndex: RULE_IDS.indexOf(id),
    level,
    message: { text },
    locations: [locationOf(result)],
    partialFingerprints: { 'pullguard/v1': createHash('sha256').update(identity).digest('hex') },
    properties: { image: toPrintable(result.image), action: result.action, ...facts },
  };
}

function locationOf(result: CheckResult): Json {
  const object = toPrintable(result.object);
  const path = toPrintable(result.path);
  const logical = {
    name: path === '' ? object : path,
    fullyQualifiedName: path === '' ? object : `${object}/${path}`,
    kind: 'member',
  };
  const uri = result.file === undefined || result.file === '-' ? undefined : toUri(result.file);
  if (uri === undefined) return { logicalLocations: [logical] };
  const region = result.line === undefined ? {} : { region: { startLine: Math.max(1, result.line) } };
  return { physicalLocation: { artifactLocation: { uri }, ...region }, logicalLocations: [logical] };
}

/** A relative path stays relative to where the check ran, as code scanning expects it. */
function toUri(file: string): string {
  const path = file
    .replace(/^(?:\.\/)+/u, '')
    .split('/')
    .map(encodePart)
    .join('/');
  return isAbsolute(file) ? `file://${path}` : path;
}

/** A lone surrogate has no UTF-8 and therefore no URI. */
function encodePart(part: string): string {
  return encodeURIComponent(part.toWellFormed());
}
