import { assertEquals, assertStringIncludes } from "@std/assert";
import { denoTest, project, runProject } from "./run_project.ts";
import { plainText } from "../runner/results.ts";

const vm = { USB_GADGET_TEST: "vm", NO_COLOR: "1" };

Deno.test("three speeds on two kernels need one boot of each", async () => {
  const { code, output, all } = await runProject([
    "--allow-all",
    project("matrix.ts"),
    "--",
    "one",
    "two",
  ], { ...vm, ANSWER: "42" });
  assertEquals(code, 0, all);
  const passed = [...output.matchAll(/^(.*) \.\.\. ok \(/gm)]
    .map(([, name]) => name);
  assertEquals(passed, [
    ...["full", "high", "super"].flatMap((speed) =>
      ["7.3", "6.12"].map((kernel) =>
        `answers (${speed} speed, Linux ${kernel})`
      )
    ),
    "sees what this process sees",
    "an ordinary test runs in its own process",
  ]);
  const places = [
    ...output.matchAll(/^(7\.3|6\.12)\.\S* (\w+) ([0-9a-f-]{36})$/gm),
  ];
  assertEquals(
    places.map(([, kernel, speed]) => `${kernel} ${speed}`),
    ["full", "high", "super"].flatMap((speed) => [
      `7.3 ${speed}`,
      `6.12 ${speed}`,
    ]),
  );
  assertEquals(new Set(places.map(([, , , boot]) => boot)).size, 2);
  assertStringIncludes(output, "\none,two 42 0\n");
  assertStringIncludes(output, `\nuid ${Deno.uid()}\n`);
});

Deno.test("--filter and --coverage work for tests in a VM", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { code, output, all } = await runProject([
      "--allow-all",
      "--filter=high speed, Linux 7.3",
      `--coverage=${folder}/coverage`,
      project("matrix.ts"),
    ]);
    assertEquals(code, 0, all);
    assertStringIncludes(output, "ok | 1 passed");
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["coverage", "--lcov", "--include=answer.ts", `${folder}/coverage`],
    }).output();
    const lcov = new TextDecoder().decode(stdout);
    assertEquals(lcov.match(/^FNDA:.*$/gm), ["FNDA:1,answer", "FNDA:0,other"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("with --watch, a VM sees the change that a test runs for", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const name of ["matrix.ts", "answer.ts"]) {
      await Deno.copyFile(project(name), `${folder}/${name}`);
    }
    const child = new Deno.Command(Deno.execPath(), {
      args: denoTest([
        "--allow-all",
        "--watch",
        "--no-clear-screen",
        "--filter=super speed, Linux 7.3",
        `${folder}/matrix.ts`,
      ]),
      env: vm,
      cwd: folder,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let output = "";
    for await (
      const chunk of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      output += chunk;
      if (/^ok \| 1 passed/m.test(plainText(output))) {
        output = "";
        const code = await Deno.readTextFile(`${folder}/answer.ts`);
        await Deno.writeTextFile(
          `${folder}/answer.ts`,
          code.replace("first + 1", "first + 2"),
        );
      }
      if (/^FAILED \| /m.test(plainText(output))) child.kill();
    }
    await child.status;
    assertStringIncludes(
      plainText(output),
      "answers (super speed, Linux 7.3) ... FAILED",
    );
    assertStringIncludes(plainText(output), "+   3\n-   2\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
