// Builds User Mode Linux at first, which takes some minutes: not a unit test.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { runInUml, type UmlRunOptions } from "../../bench/uml/run.ts";
import { VmError } from "../../src/vm/errors.ts";
import { concat } from "../../src/vm/machine/stream.ts";
import { ROOT, testArguments } from "../runner/deno_test.ts";

/** Runs a command and returns its exit code and output. */
async function run(
  command: readonly string[],
  options: Partial<UmlRunOptions> = {},
) {
  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  const result = await runInUml({
    command,
    timeout: 60,
    ...options,
    onStdout: (chunk) => void stdout.push(chunk.slice()),
    onStderr: (chunk) => void stderr.push(chunk.slice()),
  });
  const text = (chunks: Uint8Array[]) =>
    new TextDecoder().decode(concat(...chunks));
  return { ...result, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("a command runs on another kernel, without complaints of it", async () => {
  const { code, problems, release, stdout, stderr } = await run([
    "uname",
    "-a",
  ]);
  assertEquals({ code, problems, stderr }, {
    code: 0,
    problems: [],
    stderr: "",
  });
  assert(stdout.startsWith(`Linux gadget-uml ${release} `), stdout);
  assertEquals((await run(["true"])).code, 0);
});

Deno.test("exit codes and both outputs arrive, whole", async () => {
  const script = "seq 100000; seq 20000 >&2; exit 7";
  const { code, stdout, stderr } = await run(["sh", "-c", script]);
  assertEquals(code, 7);
  const lines = (count: number) =>
    Array.from({ length: count }, (_, index) => `${index + 1}\n`).join("");
  assertEquals(stdout === lines(100_000), true, `${stdout.length} characters`);
  assertEquals(stderr === lines(20_000), true, `${stderr.length} characters`);
});

Deno.test("only what is written to a shared folder stays", async () => {
  const shared = await Deno.makeTempDir();
  const other = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${other}/seen`, "");
    const script =
      `test -e seen && echo a >${shared}/kept && echo b >${other}/gone && test -e gone`;
    const { code, stderr } = await run(["sh", "-c", script], {
      cwd: other,
      shares: [shared],
    });
    assertEquals([code, stderr], [0, ""]);
    assertEquals(await Deno.readTextFile(`${shared}/kept`), "a\n");
    assertEquals([...Deno.readDirSync(other)].map(({ name }) => name), [
      "seen",
    ]);
  } finally {
    await Deno.remove(shared, { recursive: true });
    await Deno.remove(other, { recursive: true });
  }
});

Deno.test("there are as many controllers as asked for", async () => {
  const { stdout } = await run(["ls", "/sys/class/udc"], {
    hcd: "is_super_speed=1 num=3",
  });
  assertEquals(stdout, "dummy_udc.0\ndummy_udc.1\ndummy_udc.2\n");
});

Deno.test("a gadget and its host work as on any other kernel", async () => {
  const { code, stdout } = await run([
    Deno.execPath(),
    ...testArguments(["tests/kernel/endpoint_transfer_test.ts"]),
  ], { cwd: ROOT });
  assertEquals(code, 0, stdout);
});

Deno.test("clocks that are read without a system call agree with the kernel's", async () => {
  const { code, stdout, stderr } = await run([
    Deno.execPath(),
    "run",
    "--allow-ffi",
    "--no-check",
    "tests/uml/clocks.ts",
  ], { cwd: ROOT });
  assertEquals([code, stderr], [0, ""]);
  const differences = stdout.trim().split("\n").map((line) =>
    line.split(" ").map(Number)
  );
  assertEquals(differences.length, 2);
  // Behind each other, within the time of a call.
  for (const difference of differences.flat()) {
    assert(difference >= -10_000 && difference < 20e6, stdout);
  }
});

Deno.test("a command that does not end is ended, as is one that is aborted", async () => {
  await assertRejects(
    () => run(["sleep", "60"], { timeout: 2 }),
    VmError,
    "The command did not end within 2 s",
  );
  const stop = new AbortController();
  const reason = new Error("enough");
  setTimeout(() => stop.abort(reason), 1000);
  const error = await assertRejects(() =>
    run(["sleep", "60"], { signal: stop.signal })
  );
  assertEquals(error, reason);
});

Deno.test("a kernel that dies is reported with its last words", async () => {
  const { code, problems } = await run([
    "sh",
    "-c",
    "echo c >/proc/sysrq-trigger",
  ]);
  assertEquals(code, 3);
  assertEquals(problems[0].title.includes("sysrq triggered crash"), true);
});
