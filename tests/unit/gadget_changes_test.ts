import { assertEquals, assertRejects } from "@std/assert";
import { sortAttributes, sortLinks } from "../../src/gadget/configfs/order.ts";
import { encodeValue, sameValue } from "../../src/gadget/configfs/value.ts";
import { ChangeQueue } from "../../src/gadget/change_queue.ts";

/** A change that ends when the test says so. */
function held(log: string[], name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const change = async () => {
    log.push(`${name} begins`);
    try {
      return await promise;
    } finally {
      log.push(`${name} ends`);
    }
  };
  return { change, end: () => resolve(name), fail: reject };
}

Deno.test("ChangeQueue makes a change in this turn where none is under way", async () => {
  const queue = new ChangeQueue();
  for (let round = 0; round < 3; round++) {
    let made = false;
    const change = queue.run(() => void (made = true));
    assertEquals(made, true);
    await change;
  }
});

Deno.test("ChangeQueue makes changes one after the other, also after one that fails", async () => {
  const queue = new ChangeQueue();
  const log: string[] = [];
  const changes = ["a", "b", "c"].map((name) => held(log, name));
  const results = changes.map(({ change }) => queue.run(change));
  changes[2].end();
  changes[1].end();
  assertEquals(log, ["a begins"]);
  changes[0].fail(new Error("a fails"));
  await assertRejects(() => results[0], Error, "a fails");
  assertEquals(await Promise.all(results.slice(1)), ["b", "c"]);
  const expected = ["a", "b", "c"].flatMap((
    it,
  ) => [`${it} begins`, `${it} ends`]);
  assertEquals(log, expected);
  assertEquals(await queue.run(() => "d"), "d");
});

Deno.test("ChangeQueue leaves out a change that is given up, and keeps the order of the others", async () => {
  const queue = new ChangeQueue();
  const log: string[] = [];
  const [a, b, c] = ["a", "b", "c"].map((name) => held(log, name));
  await assertRejects(() =>
    queue.run(a.change, AbortSignal.abort(new Error("early")))
  );
  const first = queue.run(a.change);
  const controller = new AbortController();
  const second = queue.run(b.change, controller.signal);
  controller.abort(new Error("given up"));
  await assertRejects(() => second, Error, "given up");
  const third = queue.run(c.change);
  c.end();
  await Promise.resolve();
  assertEquals(log, ["a begins"]);
  a.end();
  assertEquals(await Promise.all([first, third]), ["a", "c"]);
  assertEquals(log, ["a begins", "a ends", "c begins", "c ends"]);
  // A change that has begun is not given up.
  const late = new AbortController();
  const running = queue.run(b.change, late.signal);
  late.abort();
  b.end();
  assertEquals(await running, "b");
});

Deno.test("sortAttributes() puts attributes into the order of the kernel, whatever theirs is", () => {
  const sorted = [
    "stall",
    "lun.0/cdrom",
    "lun.0/ro",
    "lun.0/inquiry_string",
    "lun.0/removable",
    "lun.0/forced_eject",
    "lun.0/file",
    "lun.2/file",
    "lun.10/ro",
    "lun.10/file",
  ];
  const nodes = (paths: string[]) => paths.map((path) => ({ path }));
  for (let turn = 0; turn < sorted.length; turn++) {
    const turned = [...sorted.slice(turn), ...sorted.slice(0, turn)];
    for (const paths of [turned, turned.toReversed()]) {
      assertEquals(sortAttributes(nodes(paths)), nodes(sorted));
    }
  }
  assertEquals(
    sortAttributes(nodes(["u/1080p/x", "u/720p/x", "u/07/x", "u/7/x", "u/x"]))
      .map(({ path }) => path),
    ["u/x", "u/07/x", "u/7/x", "u/720p/x", "u/1080p/x"],
  );
});

Deno.test("sortLinks() fills a directory before a link leads to it", () => {
  const sorted = [
    ["control/class/fs/h", "control/header/h"],
    ["streaming/mjpeg/m/color", "streaming/color_matching/c"],
    ["streaming/header/h/2m", "streaming/mjpeg/m"],
    ["streaming/header/h/10u", "streaming/uncompressed/u"],
    ["streaming/class/fs/h", "streaming/header/h"],
    ["streaming/class/ss/h", "streaming/header/h"],
  ] as const;
  for (let turn = 0; turn < sorted.length; turn++) {
    const turned = [...sorted.slice(turn), ...sorted.slice(0, turn)];
    for (const links of [turned, turned.toReversed()]) {
      const found = sortLinks(links);
      const at = (path: string) => found.findIndex(([it]) => it === path);
      const order = [
        "streaming/mjpeg/m/color",
        "streaming/header/h/2m",
        "streaming/header/h/10u",
        "streaming/class/fs/h",
        "streaming/class/ss/h",
      ].map(at);
      assertEquals(order, order.toSorted((a, b) => a - b));
      assertEquals(found, sortLinks(sorted));
    }
  }
  // Round in a circle: for the kernel to refuse.
  assertEquals(sortLinks([["a/x", "b"], ["b/y", "a"]]).length, 2);
});

Deno.test("sameValue() is the inverse of encodeValue()", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const same = (actual: string, path: string, value: string) =>
    sameValue(bytes(actual), { path, value });
  assertEquals(same("\ufeffName\n", "product", "\ufeffName"), true);
  assertEquals(same("Name\n", "product", "\ufeffName"), false);
  assertEquals(same("Name    \n", "lun.0/inquiry_string", "Name"), true);
  assertEquals(same("Name    \n", "product", "Name"), false);
  const id = "os_desc/interface.ncm/compatible_id";
  assertEquals(encodeValue({ path: id, value: "AB" }), "AB\0\0\0\0\0\0");
  assertEquals(encodeValue({ path: id, value: "" }), "\0".repeat(8));
  assertEquals(same("AB\0\0\0\0\0\0", id, "AB"), true);
  assertEquals(same("ABNCM\0\0\0", id, "AB"), false);
});
