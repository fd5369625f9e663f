/**
 * The adapters have the types and the behaviour of `@std`: this file has to compile
 * and pass both with the adapters (`deno task check`) and with the real packages
 * (`deno task test:jsr`).
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { TextLineStream } from "@std/streams/text-line-stream";
import { parse, stringify } from "@std/toml";

/** True for identical types, false for types that are only assignable. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;

/** Compiles only if the value has exactly that type. */
function hasType<Expected>() {
  return <Actual>(_: Actual, same: Same<Actual, Expected>) => assert(same);
}

class Refusal extends Error {
  constructor(readonly code: number, message: string) {
    super(message);
  }
}

function refuse(): never {
  throw new Refusal(5, "Cannot do it: not now");
}

Deno.test("assertThrows() and assertRejects() return the error as an instance of the requested class", async () => {
  const rejecting = () => Promise.reject(new Refusal(6, "later"));
  const error = assertThrows(refuse, Refusal, "not now", "a note");
  hasType<Refusal>()(error, true);
  assertEquals(error.code, 5);
  hasType<unknown>()(assertThrows(refuse), true);
  hasType<unknown>()(assertThrows(refuse, "a note"), true);
  const rejection = await assertRejects(rejecting, Refusal, "later", "a note");
  hasType<Refusal>()(rejection, true);
  assertEquals(rejection.code, 6);
  hasType<unknown>()(await assertRejects(rejecting), true);
  hasType<unknown>()(await assertRejects(rejecting, "a note"), true);
  // Each of these assertions fails.
  assertThrows(() => assertThrows(() => 1, "nothing thrown"), Error, "nothing");
  assertThrows(() => assertThrows(refuse, TypeError), Error, "TypeError");
  assertThrows(() => assertThrows(refuse, Refusal, "never"), Error, "never");
  await assertRejects(
    () => assertRejects(() => Promise.resolve(), Error),
    Error,
    "reject",
  );
  // A function that throws does not reject.
  await assertRejects(() => assertRejects(refuse, Refusal), Error, "reject");
});

Deno.test("assertions narrow types, and accept a note as their last argument", () => {
  const value: unknown = new Refusal(7, "seven");
  assertInstanceOf(value, Refusal, "a note");
  hasType<Refusal>()(value, true);
  const text: unknown = "seven";
  assertStrictEquals(text, "seven" as const, "a note");
  hasType<"seven">()(text, true);
  const maybe = [1, undefined][0];
  assert(maybe, "a note");
  hasType<number>()(maybe, true);
  hasType<void>()(assertEquals([1], [1], "a note"), true);
  hasType<void>()(assertMatch("abc", /b/, "a note"), true);
  hasType<void>()(assertStringIncludes("abc", "b", "a note"), true);
  assertThrows(() => assertMatch("abc", /d/), Error);
  assertThrows(() => assertStringIncludes("abc", "d", "a note"), Error, "note");
});

Deno.test("parseArgs() returns a typed value for each option", () => {
  const unknown: string[] = [];
  const args = parseArgs(
    ["--kernel=6.1", "--env", "A=1", "--env=B=2", "--help", "--what", "word"],
    {
      string: ["kernel", "env", "speed", "jobs"],
      boolean: ["help", "verbose"],
      collect: ["env"],
      default: { jobs: "1" },
      unknown: (argument: string) => {
        if (argument.startsWith("-")) unknown.push(argument);
        return false;
      },
    },
  );
  hasType<string | undefined>()(args.kernel, true);
  hasType<string | undefined>()(args.speed, true);
  hasType<string>()(args.jobs, true);
  hasType<string[]>()(args.env, true);
  hasType<boolean>()(args.help, true);
  hasType<boolean>()(args.verbose, true);
  hasType<(string | number)[]>()(args._, true);
  hasType<unknown>()(args.other, true);
  assertEquals(
    [args.kernel, args.speed, args.jobs, args.env, args.help, args.verbose],
    ["6.1", undefined, "1", ["A=1", "B=2"], true, false],
  );
  assertEquals(unknown, ["--what"]);
  // Lists that are declared outside the call keep their names if they are const.
  const names = ["one", "two"] as const;
  const repeated = ["two"] as const;
  const listed = parseArgs(["--two=2"], { string: names, collect: repeated });
  hasType<string | undefined>()(listed.one, true);
  hasType<string[]>()(listed.two, true);
  assertEquals(listed.two, ["2"]);
});

Deno.test("TextLineStream splits text chunks into lines", async () => {
  const stream = new TextLineStream();
  hasType<ReadableStream<string>>()(stream.readable, true);
  hasType<WritableStream<string>>()(stream.writable, true);
  const pieces = ["on", "e\ntwo\r", "\n\n", "", "three\nfo", "ur"];
  const lines = await Array.fromAsync(
    ReadableStream.from(pieces).pipeThrough(stream),
  );
  assertEquals(lines, ["one", "two", "", "three", "four"]);
});

Deno.test("TOML is parsed into plain objects, and written", () => {
  const text = 'a = 0x10\n\n[b]\nc = ["d", true]\n';
  const parsed = parse(text);
  hasType<Record<string, unknown>>()(parsed, true);
  assertEquals(parsed, { a: 16, b: { c: ["d", true] } });
  const written = stringify(parsed);
  hasType<string>()(written, true);
  assertEquals(parse(written), parsed);
  assertThrows(() => parse("a ="), Error);
});
