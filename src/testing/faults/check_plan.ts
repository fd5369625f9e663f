/**
 * What is wrong with a fault plan.
 *
 * @module
 */
import { nameRemedy } from "../../arguments/known_names.ts";
import { isPlain, isWithin, type NamesOf } from "../../arguments/rules.ts";
import { choice, show } from "../../arguments/show.ts";
import type { EndpointDefinition } from "../../definition/endpoint.ts";
import type { UsbFunction } from "../../definition/function.ts";
import type { FaultKind, FaultPlan, FaultRule } from "./plan.ts";

/**
 * Checks a plan for a function.
 *
 * @throws {TypeError} If something is of another type, unknown or missing.
 * @throws {RangeError} If a number is out of range.
 */
export function checkPlan(definition: UsbFunction, plan: FaultPlan): void {
  checkFields("the plan", plan, PLAN_FIELDS);
  checkNumber("seed", plan.seed, 0, MAX_SEED);
  if (!Array.isArray(plan.rules)) {
    throw wrong("rules", `must be an array, is ${show(plan.rules)}`);
  }
  plan.rules.forEach((rule: FaultRule, index) =>
    checkRule(`rules[${index}]`, rule, definition)
  );
}

function checkRule(path: string, rule: FaultRule, of: UsbFunction): void {
  checkFields(path, rule, RULE_FIELDS);
  checkChoice(`${path}.direction`, rule.direction, ["in", "out"]);
  const endpoint = findEndpoint(`${path}.endpoint`, rule.endpoint, of);
  const direction = endpoint === undefined
    ? rule.direction
    : directionOf(`${path}.direction`, rule, endpoint);
  checkFault(`${path}.fault`, rule.fault, endpoint);
  checkTiming(path, rule);
  const { fault } = rule;
  const isControl = endpoint === undefined;
  checkNumber(`${path}.ms`, rule.ms, 0, MAX_DELAY);
  checkUse(`${path}.ms`, rule.ms, TIMED.has(fault), true, `"${fault}"`);
  checkNumber(`${path}.bytes`, rule.bytes, 0);
  const isShort = fault === "shorten";
  const leads = !isControl && direction === "in" && fault === "stall";
  const what = `"${fault}" ${isControl ? "of a control request" : direction}`;
  checkUse(`${path}.bytes`, rule.bytes, isShort || leads, isShort, what);
  const isSized = !isControl &&
    (direction === "in" || !(fault === "delay" || fault === "stall"));
  for (const name of ["minSize", "maxSize"] as const) {
    checkNumber(`${path}.${name}`, rule[name], 0);
    checkUse(
      `${path}.${name}`,
      rule[name],
      isSized,
      false,
      `${what}, which comes before the size is known`,
    );
  }
  if ((rule.minSize ?? 0) > (rule.maxSize ?? Infinity)) {
    throw new RangeError(
      message(
        `${path}.minSize`,
        `must be at most maxSize, ${rule.maxSize}, is ${rule.minSize}`,
      ),
    );
  }
  checkNumber(`${path}.request`, rule.request, 0, 0xff);
  checkUse(
    `${path}.request`,
    rule.request,
    isControl,
    false,
    "an endpoint other than 0",
  );
}

/** Returns the definition of an endpoint; `undefined` for endpoint 0. */
function findEndpoint(
  path: string,
  name: unknown,
  { name: of, interfaces }: UsbFunction,
): EndpointDefinition | undefined {
  if (name === 0) return undefined;
  if (typeof name !== "string") {
    throw wrong(
      path,
      `must be the name of an endpoint, or 0 for control requests, is ${
        show(name)
      }`,
    );
  }
  const endpoints = Object.fromEntries(
    interfaces.flatMap((it) => [it, ...it.alternates ?? []])
      .flatMap((it) => Object.entries(it.endpoints ?? {})),
  );
  if (Object.hasOwn(endpoints, name)) return endpoints[name];
  throw wrong(
    path,
    `must be an endpoint of function "${of}", is ${show(name)}: ${
      nameRemedy(name, Object.keys(endpoints))
    }`,
  );
}

function directionOf(
  path: string,
  { direction, endpoint }: FaultRule,
  { kind }: EndpointDefinition,
): "in" | "out" {
  if (kind !== "pair") {
    if (direction === undefined || direction === kind) return kind;
    throw wrong(path, `must be "${kind}" for the endpoint "${endpoint}"`);
  }
  if (direction !== undefined) return direction;
  throw wrong(path, `is missing: "${endpoint}" is a pair, give "in" or "out"`);
}

function checkFault(
  path: string,
  fault: FaultKind,
  endpoint: EndpointDefinition | undefined,
): void {
  if (fault === undefined) {
    throw wrong(path, `is missing: give ${choice(KINDS)}`);
  }
  checkChoice(path, fault, KINDS);
  if (endpoint === undefined && fault !== "delay" && fault !== "stall") {
    throw wrong(path, 'must be "delay" or "stall" for control requests');
  }
  if (endpoint?.transferType === "isochronous" && fault === "stall") {
    throw wrong(path, 'must not be "stall": isochronous endpoints have none');
  }
}

function checkTiming(path: string, rule: FaultRule): void {
  const given = TIMINGS.filter((it) => rule[it] !== undefined);
  if (given.length !== 1) {
    throw wrong(
      path,
      `must have one of ${choice(TIMINGS)}, has ${
        given.map(show).join(" and ") || "none"
      }`,
    );
  }
  const { at, every, probability, times } = rule;
  if (Array.isArray(at)) {
    if (at.length === 0) throw wrong(`${path}.at`, "must not be empty");
    at.forEach((it, index) => {
      // A hole or null is no number, either.
      checkNumber(`${path}.at[${index}]`, it ?? null, 1);
    });
  } else {
    checkNumber(`${path}.at`, at as number | undefined, 1);
  }
  checkNumber(`${path}.every`, every, 1);
  checkNumber(`${path}.times`, times, 1);
  if (probability === undefined) return;
  assertNumber(`${path}.probability`, probability);
  if (probability >= 0 && probability <= 1) return;
  throw new RangeError(
    message(
      `${path}.probability`,
      `must be a number from 0 to 1, is ${probability}`,
    ),
  );
}

/** Refuses fields that no code reads. */
function checkFields<T extends object>(
  path: string,
  value: T,
  fields: NamesOf<T>,
): void {
  if (!isPlain(value)) {
    throw wrong(path, `must be an object, is ${show(value)}`);
  }
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(fields, name)) continue;
    throw wrong(
      path,
      `has no field ${show(name)}: ${nameRemedy(name, Object.keys(fields))}`,
    );
  }
}

function checkChoice(
  path: string,
  value: unknown,
  values: readonly string[],
): void {
  if (value === undefined || values.includes(value as string)) return;
  throw wrong(path, `must be ${choice(values)}, is ${show(value)}`);
}

/** Checks an integer, if it is given. */
function checkNumber(
  path: string,
  value: number | null | undefined,
  least: number,
  greatest = Number.MAX_SAFE_INTEGER,
): void {
  if (value === undefined) return;
  assertNumber(path, value);
  if (isWithin(value, least, greatest)) return;
  const range = greatest === Number.MAX_SAFE_INTEGER
    ? `of ${least} or more`
    : `from ${least} to ${greatest}`;
  throw new RangeError(
    message(path, `must be an integer ${range}, is ${value}`),
  );
}

function assertNumber(path: string, value: unknown): void {
  if (typeof value === "number") return;
  throw wrong(path, `must be a number, is ${show(value)}`);
}

/** Checks that a field is given where it is needed, and only where it is used. */
function checkUse(
  path: string,
  value: unknown,
  used: boolean,
  needed: boolean,
  where: string,
): void {
  if (value !== undefined && !used) {
    throw wrong(path, `is not for ${where}: remove it`);
  }
  if (value === undefined && used && needed) {
    throw wrong(path, `is missing: ${where} needs it`);
  }
}

function wrong(path: string, problem: string): TypeError {
  return new TypeError(message(path, problem));
}

function message(path: string, problem: string): string {
  return `Cannot inject faults: ${path} ${problem}`;
}

const MAX_SEED = 0xffff_ffff;
/** The longest time of a timer. */
const MAX_DELAY = 0x7fff_ffff;
const KINDS = ["delay", "stall", "shorten", "drop", "disconnect"] as const;
const TIMINGS = ["at", "every", "probability"] as const;
const TIMED: ReadonlySet<FaultKind> = new Set(["delay", "disconnect"]);

const PLAN_FIELDS: NamesOf<FaultPlan> = { seed: true, rules: true };
const RULE_FIELDS: NamesOf<FaultRule> = {
  endpoint: true,
  direction: true,
  fault: true,
  ms: true,
  bytes: true,
  at: true,
  every: true,
  probability: true,
  times: true,
  minSize: true,
  maxSize: true,
  request: true,
};
