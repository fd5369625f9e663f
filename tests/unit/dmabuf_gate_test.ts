import { assertEquals } from "@std/assert";
import { DmabufGate } from "../../src/functionfs/dmabuf/gate.ts";

/** Collects who is admitted. */
function visitors() {
  const inside: string[] = [];
  const enter = (gate: DmabufGate, name: string) => {
    const admit = () => void inside.push(name);
    gate.enter(admit);
    return admit;
  };
  return { inside, enter };
}

Deno.test("DmabufGate admits one at a time, in the order of the requests", () => {
  const gate = DmabufGate.open("order");
  const { inside, enter } = visitors();
  for (const name of ["a", "b", "c"]) enter(gate, name);
  assertEquals(inside, ["a"]);
  gate.leave();
  assertEquals(inside, ["a", "b"]);
  gate.leave();
  gate.leave();
  assertEquals(inside, ["a", "b", "c"]);
  enter(gate, "d");
  assertEquals(inside, ["a", "b", "c", "d"]);
  gate.close();
});

Deno.test("DmabufGate forgets requests that are taken back", () => {
  const gate = DmabufGate.open("forget");
  const { inside, enter } = visitors();
  enter(gate, "a");
  gate.forget(enter(gate, "b"));
  enter(gate, "c");
  gate.leave();
  assertEquals(inside, ["a", "c"]);
  gate.close();
});

Deno.test("DmabufGate is one for all descriptors of a DMABUF, until the last is closed", () => {
  const first = DmabufGate.open("7");
  assertEquals(DmabufGate.open("7"), first);
  assertEquals(DmabufGate.open("8") === first, false);
  first.close();
  assertEquals(DmabufGate.open("7"), first);
  first.close();
  first.close();
  assertEquals(DmabufGate.open("7") === first, false);
});
