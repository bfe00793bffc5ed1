/** SQL for how long it is from one time to another, in whole microseconds and never below 0: the clocks of two statements may overlap. Null where either is null. */
export const microsecondsBetween = (from: string, to: string): string => `(case when ${to} >= ${from} then extract(epoch from ${to} - ${from}) * 1000000 when ${to} < ${from} then 0 end)::bigint`;
