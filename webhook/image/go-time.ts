const FORM =
  /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)T(?<hour>\d{1,2}):(?<minute>\d\d):(?<second>\d\d)(?:[.,]\d+)?(?:Z|[+-](?<zoneHour>\d\d):(?<zoneMinute>\d\d))$/u;
/** The least and the most that Go's time.Parse takes for each number; what it takes for a zone is what it takes. */
const RANGES: Readonly<Record<string, readonly [least: number, most: number]>> = Object.freeze({
  month: [1, 12],
  hour: [0, 23],
  minute: [0, 59],
  second: [0, 59],
  zoneHour: [0, 24],
  zoneMinute: [0, 60],
});

/** Whether Go reads a text as a time: RFC 3339, as loosely as encoding/json takes it, and no 30th of February. */
export function isGoTime(text: string): boolean {
  const groups = FORM.exec(text)?.groups;
  if (groups === undefined) return false;
  const number = (name: string): number => Number(groups[name] ?? 0);
  const isInRange = Object.entries(RANGES).every(([name, [least, most]]) => {
    return groups[name] === undefined || (number(name) >= least && number(name) <= most);
  });
  // the day before the first of the next month
  const days = new Date(Date.UTC(2000 + (number('year') % 400), number('month'), 0)).getUTCDate();
  return isInRange && number('day') >= 1 && number('day') <= days;
}
