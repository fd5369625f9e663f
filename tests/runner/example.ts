/**
 * Runs `examples/testing` as a stranger would: copied out of the checkout, this
 * package from a registry, nothing in Deno's cache, and one command.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { TextLineStream } from "@std/streams/text-line-stream";
import { ROOT } from "./deno_test.ts";
import { startRegistry } from "./registry.ts";
import { plainText } from "./results.ts";

const HELP = `Usage: deno task test:example [OPTIONS]

  --empty-vm-cache  Fetches the VM's kernels as well
  --user UID        Runs as this user, who has nothing in any cache, and needs
                    what root has installed: QEMU, BusyBox, xz and kmod
  --locked          With a lock file and an empty cache, as in CI
`;

/** The tests of the example. */
const TESTS = [
  "a control request returns the number of sensors",
  "a host reads what a sensor measures (high speed, Linux 6.12)",
  "a host reads what a sensor measures (high speed, Linux 7.3)",
  "a host reads what a sensor measures (super speed, Linux 6.12)",
  "a host reads what a sensor measures (super speed, Linux 7.3)",
  "a sensor that does not exist is a stall",
  "a temperature has two bytes, least significant first",
  "the program asks again after a stall and after a short answer",
  "the program gives up if a sensor always stalls",
  "the program prints the temperatures of all sensors",
];

async function main(args: string[]): Promise<boolean> {
  const given = parseArgs(args, {
    boolean: ["help", "empty-vm-cache", "locked"],
    string: ["user"],
    unknown: (arg) => {
      throw new TypeError(`Cannot use "${arg}": see --help`);
    },
  });
  if (given.help) {
    console.log(HELP);
    return true;
  }
  const { user } = given;
  const isNew = given["empty-vm-cache"] || user !== undefined;
  await using registry = await startRegistry();
  const folder = await Deno.makeTempDir({ prefix: "stranger-" });
  const env: Record<string, string> = {
    DENO_DIR: `${folder}/deno`,
    JSR_URL: registry.url,
    NO_COLOR: "1",
    ...(isNew && { XDG_CACHE_HOME: `${folder}/cache` }),
    ...(user !== undefined && { HOME: folder, XDG_RUNTIME_DIR: folder }),
  };
  const command = [Deno.execPath(), "test", "--allow-all"];
  if (user !== undefined) {
    const ids = ["--reuid", user, "--regid", user, "--clear-groups"];
    command.unshift("setpriv", ...ids);
  }
  try {
    await run(["cp", "-r", `${ROOT}examples/testing`, `${folder}/project`]);
    if (user !== undefined) await run(["chown", "-R", user, folder]);
    const options = { cwd: `${folder}/project`, env };
    if (given.locked) {
      await run([...command, "--no-run"], options);
      await Deno.stat(`${options.cwd}/deno.lock`);
      await Deno.remove(env.DENO_DIR, { recursive: true });
    }
    return await runTests(command, options);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs all tests. Returns whether those in the list passed, and no others. */
async function runTests(
  command: readonly string[],
  options: Deno.CommandOptions,
): Promise<boolean> {
  const begin = performance.now();
  const { success, output } = await run(command, options);
  const seconds = Math.round((performance.now() - begin) / 1000);
  // What Deno remarks about a slow test comes between its name and its end.
  const passed = [...output.matchAll(/^(.*?) \.\.\.(.*\n| )ok \(.*\)$/gm)]
    .map(([, name]) => name.trim());
  const missing = TESTS.filter((name) => !passed.includes(name));
  const unknown = passed.filter((name) => !TESTS.includes(name));
  for (const name of missing) console.log(`Did not pass: ${name}`);
  for (const name of unknown) console.log(`Is not in TESTS: ${name}`);
  console.log(
    `examples/testing: ${passed.length} of ${TESTS.length} tests passed in ${seconds} s`,
  );
  return success && missing.length === 0 && unknown.length === 0;
}

/** Runs a program, shows its output, and returns it. */
async function run(
  [program, ...args]: readonly string[],
  options: Deno.CommandOptions = {},
): Promise<{ success: boolean; output: string }> {
  const child = new Deno.Command(program, {
    ...options,
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [output] = await Promise.all([
    show(child.stdout),
    // Hundreds of lines, which say nothing new.
    show(child.stderr, /^Download /),
  ]);
  const { success } = await child.status;
  return { success, output: plainText(output) };
}

/** Shows lines as they come, and returns them. */
async function show(
  stream: ReadableStream<Uint8Array>,
  without?: RegExp,
): Promise<string> {
  const lines = stream.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  const shown: string[] = [];
  for await (const line of lines) {
    if (without?.test(line)) continue;
    console.log(line);
    shown.push(line);
  }
  return shown.join("\n");
}

if (import.meta.main) Deno.exit(await main(Deno.args) ? 0 : 1);
