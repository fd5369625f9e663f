/**
 * The answer to reset, and the parameters that follow from it (ISO/IEC 7816-3, 8).
 *
 * @module
 */
import { hex } from "../../../arguments/show.ts";
import { type Parameters, type Protocol, PROTOCOLS } from "./parameters.ts";

/** What a card says of itself. */
export interface AnswerToReset {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The protocols that it offers. */
  readonly protocols: readonly Protocol[];
  /** The parameters of the protocol that begins, and of the other one. */
  readonly parameters: Parameters;
}

const DIRECT = 0x3b;
const INVERSE = 0x3f;
const LONGEST = 33;
/** T=15 stands for bytes that belong to no protocol. */
const GLOBAL = 15;

/** The interface bytes after a TD, which says what they are for. */
interface Group {
  readonly protocol: number;
  readonly ta?: number;
  readonly tb?: number;
  readonly tc?: number;
}

/**
 * Reads an answer to reset.
 *
 * @throws {TypeError} If it is not valid, or has no protocol that CCID knows.
 */
export function decodeAtr(
  action: string,
  bytes: Uint8Array<ArrayBuffer>,
): AnswerToReset {
  const problem = (text: string) =>
    new TypeError(`Cannot ${action}: the answer to reset ${text}`);
  const [ts, t0] = bytes;
  if (bytes.length < 2 || bytes.length > LONGEST) {
    throw problem(`must have 2 to ${LONGEST} bytes, has ${bytes.length}`);
  }
  if (ts !== DIRECT && ts !== INVERSE) {
    throw problem(`must begin with 0x3b or 0x3f, not ${hex(ts)}`);
  }
  const { groups, end } = interfaceBytes(bytes);
  const indicated = groups.slice(1).map(({ protocol }) => protocol);
  const hasCheck = indicated.some((it) => it !== 0);
  const length = end + (t0 & 0x0f) + (hasCheck ? 1 : 0);
  if (bytes.length !== length) {
    const check = hasCheck ? "with" : "without";
    throw problem(
      `must have ${length} bytes by its own account, ${check} a check byte, has ${bytes.length}`,
    );
  }
  const sum = bytes.slice(1).reduce((all, byte) => all ^ byte, 0);
  if (hasCheck && sum !== 0) {
    const check = bytes[length - 1];
    throw problem(
      `must end with the check byte ${hex(check ^ sum)}, not ${hex(check)}`,
    );
  }
  if (indicated[0] === GLOBAL) {
    throw problem("must not have T=15 in its first TD");
  }
  const offered = indicated.filter((it) => it !== GLOBAL);
  const protocols = PROTOCOLS.filter((it) =>
    offered.length === 0 ? it === 0 : offered.includes(it)
  );
  const specific = groups[1]?.ta;
  const first = specific === undefined ? offered[0] ?? 0 : specific & 0x0f;
  const protocol = protocols.find((it) => it === first);
  if (protocol === undefined) {
    throw problem(
      `must begin with protocol T=0 or T=1, which it offers, not T=${first}`,
    );
  }
  const parameters = parametersOf(protocol, ts === INVERSE, groups);
  const [characters, blocks] = parameters.values;
  if (characters[3] === 0) throw problem("must not have a WI of 0");
  const bwi = blocks[3] >> 4;
  if (bwi > 9) throw problem(`must have a BWI of 0 to 9, not ${bwi}`);
  const ifsc = blocks[5];
  if (ifsc === 0 || ifsc === 0xff) {
    throw problem(`must have an IFSC of 1 to 254, not ${ifsc}`);
  }
  return { bytes, protocols, parameters };
}

/** The groups of interface bytes, of which the first has no TD before it, and where they end. */
function interfaceBytes(
  bytes: Uint8Array,
): { groups: Group[]; end: number } {
  const groups: Group[] = [];
  let at = 1;
  let protocol = 0;
  for (
    let present: number | undefined = bytes[1] >> 4;
    present !== undefined;
  ) {
    const take = (bit: number) =>
      present! & bit ? { byte: bytes[++at] ?? 0 } : undefined;
    const [ta, tb, tc] = [take(1)?.byte, take(2)?.byte, take(4)?.byte];
    groups.push({ protocol, ta, tb, tc });
    const td = take(8)?.byte;
    present = td === undefined ? undefined : td >> 4;
    protocol = (td ?? 0) & 0x0f;
    // What lies beyond the end indicates nothing.
    if (at >= bytes.length) break;
  }
  return { groups, end: at + 1 };
}

/** The parameters that a reader sets by itself. */
function parametersOf(
  protocol: Protocol,
  inverse: boolean,
  groups: readonly Group[],
): Parameters {
  const [first, second] = groups;
  /** The first byte for a protocol; before the third group they are for all. */
  const find = (wanted: number, name: "ta" | "tb" | "tc") =>
    groups.slice(2).find((it) =>
      it.protocol === wanted && it[name] !== undefined
    )
      ?.[name];
  const speed = first.ta ?? 0x11;
  const convention = inverse ? 0x02 : 0;
  const guard = first.tc ?? 0;
  const clockStop = (find(GLOBAL, "ta") ?? 0) >> 6;
  const check = (find(1, "tc") ?? 0) & 1;
  return {
    protocol,
    values: [
      Uint8Array.of(speed, convention, guard, second?.tc ?? 10, clockStop),
      Uint8Array.of(
        speed,
        0x10 | convention | check,
        guard,
        find(1, "tb") ?? 0x4d,
        clockStop,
        find(1, "ta") ?? 32,
        0,
      ),
    ],
  };
}
