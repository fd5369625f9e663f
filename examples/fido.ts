// A security key that introduces itself, and can do nothing else:
//
//   fido2-token -L                lists it
//   fido2-token -I /dev/hidraw0   shows what it says of itself
//
//   sudo deno run --allow-ffi examples/fido.ts
import { Gadget } from "@usb/gadget";
import { CtapHid } from "@usb/gadget/hid";

const SUCCESS = 0x00;
const INVALID_COMMAND = 0x01;
const GET_INFO = 0x04;

/** What CBOR can express, as far as this key needs it. */
type Item = number | string | boolean | Uint8Array | Item[] | Map<Item, Item>;

/** Encodes an item in CBOR (RFC 8949). Keys of maps stay in the order given. */
function encode(item: Item): number[] {
  if (typeof item === "number") return head(0, item);
  if (typeof item === "boolean") return [item ? 0xf5 : 0xf4];
  if (typeof item === "string") {
    const bytes = new TextEncoder().encode(item);
    return [...head(3, bytes.length), ...bytes];
  }
  if (item instanceof Uint8Array) return [...head(2, item.length), ...item];
  if (Array.isArray(item)) {
    return [...head(4, item.length), ...item.flatMap(encode)];
  }
  const entries = [...item].flatMap((entry) => entry.flatMap(encode));
  return [...head(5, item.size), ...entries];
}

/** The first bytes of an item: its type, and its value or length up to 65535. */
function head(type: number, value: number): number[] {
  if (value < 24) return [type << 5 | value];
  if (value < 0x100) return [type << 5 | 24, value];
  return [type << 5 | 25, value >> 8, value & 0xff];
}

const information = Uint8Array.of(
  SUCCESS,
  ...encode(
    new Map<Item, Item>([
      [0x01, ["FIDO_2_0"]], // versions
      [0x03, new TextEncoder().encode("gadget example 1")], // aaguid: the model
      [0x04, new Map<Item, Item>([["rk", false], ["up", true]])], // options
      [0x05, 1200], // the longest message
    ]),
  ),
);

const key = new CtapHid({
  onMessage: ([command]) =>
    command === GET_INFO ? information : Uint8Array.of(INVALID_COMMAND),
});

await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  manufacturer: "Example",
  product: "Security key",
  serialNumber: "1",
  functions: [key],
});
