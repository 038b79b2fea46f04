import { basisOf } from '../outcome/certainty.ts';
import { describe, describeDoubts, describeFinding, toPrintable } from '../outcome/message.ts';
import type { CourseStep } from '../outcome/prediction.ts';
import { createPaint } from './paint.ts';
import type { CheckResult } from './result.ts';
import { OUTCOME_RULES, PROOF_RULES } from './rule-text.ts';
import { verdictOf } from './summary.ts';
import { wrap } from './wrap.ts';

export type ExplainOptions = {
  readonly width: number;
  /** A terminal with colours draws the branches as lines, elsewhere they are ASCII. */
  readonly color: boolean;
};

type Branches = { readonly step: string; readonly lastStep: string; readonly through: string; readonly below: string };

const DRAWN: Branches = Object.freeze({ step: '├─ ', lastStep: '└─ ', through: '│  ', below: '   ' });
const PLAIN: Branches = Object.freeze({ step: '|- ', lastStep: '`- ', through: '|  ', below: '   ' });
/** Deeper steps of a hostile or looping course would leave no room to read them. */
const MAX_DEPTH = 12;
const LEAST_TEXT_WIDTH = 20;

/**
 * For each image the course that led to its outcome, as a tree, the outcome and the rules behind it as its last branch;
 * under each request the curl command that repeats it, and last what the variables in those stand for. Ends in a line
 * break.
 */
export function formatExplain(results: readonly CheckResult[], options: ExplainOptions): string {
  const paint = createPaint(options.color);
  const trees = results
    .map((result) => {
      const { outcome, course, requests, millis } = result.prediction;
      const place = result.object === result.image ? result.where : `${result.object} ${result.where}`;
      const title = [toPrintable(result.image), toPrintable(place)].filter((part) => part !== '').join('  ');
      const { cause } = describe(outcome, result.wording);
      const cost = `${requests} ${requests === 1 ? 'request' : 'requests'}, ${Math.round(millis)} ms`;
      const text = `${verdictOf(result)} (${outcome.kind}): ${cause}; ${cost}`;
      const end: CourseStep = { text, steps: rulesOf(result).map((rule) => ({ text: rule, steps: [] })) };
      return `${[paint('strong', title), ...formatCourse([...course, end], options)].join('\n')}\n`;
    })
    .join('\n');
  const legend = variablesIn(results.flatMap(({ prediction }) => prediction.course));
  return legend.length === 0 ? trees : `${trees}\n${legend.join('\n')}\n`;
}

/** Each decision with the rule that made it: the kind of the outcome, its proof, the policy, the findings. */
function rulesOf({ prediction, decidedBy }: CheckResult): readonly string[] {
  const { outcome, isConclusive, doubts, findings } = prediction;
  const { title, help } = OUTCOME_RULES[outcome.kind];
  const basis = basisOf(outcome);
  const proof = isConclusive ? `proven: ${PROOF_RULES[basis]}` : describeDoubts(doubts) || PROOF_RULES.never;
  return [
    `rule ${outcome.kind}: ${title}. ${help}`,
    proof,
    ...(decidedBy === undefined ? [] : [`policy: ${decidedBy.join('; ')}`]),
    ...findings.map((finding) => `also ${finding.kind}: ${describeFinding(finding)}`),
  ];
}

/** What the variables in commands stand for, in the order in which a reader needs them. */
const VARIABLES = Object.freeze([
  ['USERNAME', 'the user name in the entry of the pull secret that the step names'],
  ['PASSWORD', 'the password in that entry'],
  ['TOKEN', 'token or access_token in the answer of the token service before it'],
  ['LOCATION', 'the Location header of the answer before it, or the address in the manifest'],
  ['REALM_VALUE', "a value in the realm of the registry's WWW-Authenticate header"],
  ['HEADER_', 'the value of the header of that name in hosts.toml'],
  ['POLICY_CA', 'a file with the certificateAuthorities of the policy, and the CA files beside them'],
  ['CLIENT_CERT', 'the client certificate that the settings name'],
  ['CLIENT_KEY', 'its key'],
] as const);

const NAMED_FILE = / --(?:cacert|cert) (?!"\$)/u;
const WHERE_FILES_ARE =
  'A certificate file that this machine does not have stands in the policy (certsD, by that name): write it out first.';

function variablesIn(course: readonly CourseStep[]): readonly string[] {
  const commands = commandsIn(course);
  if (commands.length === 0) return [];
  const used = VARIABLES.filter(([name]) => commands.some((command) => command.includes(`$${name}`)));
  const words = used.map(([name, meaning]) => `  ${name.endsWith('_') ? `${name}NAME` : name}: ${meaning}`);
  return [
    'Each command repeats the request above it.',
    ...(commands.some((command) => NAMED_FILE.test(command)) ? [WHERE_FILES_ARE] : []),
    ...(words.length === 0 ? [] : ['Set before:', ...words]),
  ];
}

function commandsIn(course: readonly CourseStep[]): readonly string[] {
  return course.flatMap(({ command, steps }) => [...(command === undefined ? [] : [command]), ...commandsIn(steps)]);
}

/** The steps of a course as lines of a tree. */
export function formatCourse(course: readonly CourseStep[], options: ExplainOptions): readonly string[] {
  return branch(course, '', 0, { width: options.width, branches: options.color ? DRAWN : PLAIN });
}

type Drawing = { readonly width: number; readonly branches: Branches };

function branch(steps: readonly CourseStep[], prefix: string, depth: number, drawing: Drawing): readonly string[] {
  const { branches, width } = drawing;
  if (depth >= MAX_DEPTH) return steps.length === 0 ? [] : [`${prefix}${branches.lastStep}...`];
  return steps.flatMap((step, at) => {
    const isLast = at === steps.length - 1;
    const below = `${prefix}${isLast ? branches.below : branches.through}`;
    const hanging = `${below}${step.steps.length > 0 ? branches.through : ''}`;
    const lines = wrap(toPrintable(step.text), Math.max(LEAST_TEXT_WIDTH, width - hanging.length));
    const [first = '', ...others] = lines;
    return [
      `${prefix}${isLast ? branches.lastStep : branches.step}${first}`,
      ...others.map((line) => `${hanging}${line}`),
      // never wrapped: it is copied
      ...(step.command === undefined ? [] : [`${hanging}  ${toPrintable(step.command)}`]),
      ...branch(step.steps, below, depth + 1, drawing),
    ];
  });
}
