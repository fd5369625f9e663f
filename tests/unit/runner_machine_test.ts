import { assertEquals, assertRejects } from "@std/assert";
import { deal, groupByMachine } from "../runner/machine.ts";

Deno.test("groupByMachine() groups files by the VM that they request", async () => {
  const sources: Record<string, string> = {
    a: "/** A test. */\nimport {};\n",
    b: '/** Another. */\n// VM: --hcd "is_super_speed=1 num=8" --memory 3G\n',
    c: "// VM: --hcd none\n",
    d: "const text = `\n  // VM: --hcd none`;\n",
    e: "// VM: --hcd none\n",
  };
  const groups = await groupByMachine(
    Object.keys(sources),
    (file) => Promise.resolve(sources[file]),
  );
  assertEquals(groups, [
    { request: "", machine: {}, files: ["a", "d"] },
    {
      request: '--hcd "is_super_speed=1 num=8" --memory 3G',
      machine: { hcd: "is_super_speed=1 num=8", memory: 3072 },
      files: ["b"],
    },
    { request: "--hcd none", machine: { hcd: "none" }, files: ["c", "e"] },
  ]);
  await assertRejects(
    () => groupByMachine(["a"], () => Promise.resolve("// VM: --nope 1\n")),
    Error,
    'Unknown option "--nope"',
  );
});

Deno.test("deal() assigns each file to exactly one VM", () => {
  const group = { request: "", machine: {}, files: ["a", "b", "c"] };
  const files = (count: number) => deal(group, count).map(({ files }) => files);
  assertEquals(files(1), [["a", "b", "c"]]);
  assertEquals(files(2), [["a", "c"], ["b"]]);
  assertEquals(files(5), [["a"], ["b"], ["c"]]);
});
