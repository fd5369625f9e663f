/**
 * Random function definitions, reproducible by a seed, for unit tests and kernel tests.
 *
 * @module
 */
import {
  binaryProperty,
  ccid,
  ClassCode,
  compatibleId,
  dfu,
  type EndpointDefinition,
  type EndpointSettings,
  type FunctionalDescriptor,
  type FunctionDefinition,
  hid,
  type InterfaceDefinition,
  type LocalizedString,
  type MicrosoftOsFeature,
  textProperty,
  type TransferType,
} from "@usb/gadget";
import type { Random } from "../data/random.ts";

/** The limits of a random definition. */
export interface ArbitraryOptions {
  /** Use no isochronous endpoints; dummy_hcd has none. */
  readonly isochronous?: boolean;
  /** The maximum number of endpoints, 30 by default. */
  readonly maxEndpoints?: number;
  /** Use no DFU, for kernels before 6.12. */
  readonly dfu?: boolean;
}

/** Returns a random valid definition. */
export function arbitraryDefinition(
  random: Random,
  options: ArbitraryOptions = {},
): FunctionDefinition {
  const languages = random.chance(0.3) ? ["en-US", "de-DE"] : ["en-US"];
  const budget = {
    left: options.maxEndpoints ?? 30,
    names: 0,
    in: 15,
    out: 15,
  };
  const interfaces: InterfaceDefinition[] = [];
  const count = random.chance(0.1) ? random.int(5, 16) : random.int(1, 4);
  for (let i = 0; i < count; i++) {
    interfaces.push(arbitraryInterface(random, budget, languages, options));
  }
  return {
    name: `f${random.int(0, 999)}`,
    interfaces,
    ...(random.chance(0.3) ? { speeds: arbitrarySpeeds(random) } : {}),
    ...(languages.length > 1 ? { languages } : {}),
    ...(random.chance(0.3)
      ? { associations: [arbitraryAssociation(random, count, languages)] }
      : {}),
    ...(random.chance(0.3)
      ? { microsoftOs: arbitraryFeatures(random, count) }
      : {}),
    ...(random.chance(0.1)
      ? { otg: { srp: random.chance(), hnp: random.chance() } }
      : {}),
    ...(random.chance(0.3) ? { allControlRecipients: random.chance() } : {}),
    ...(random.chance(0.3) ? { config0Setup: random.chance() } : {}),
  };
}

function arbitrarySpeeds(random: Random) {
  return random.pick(
    [
      ["full"],
      ["high"],
      ["super"],
      ["full", "high"],
      ["full", "super"],
      ["super", "high", "full"],
    ] as const,
  );
}

interface Budget {
  left: number;
  names: number;
  in: number;
  out: number;
}

function arbitraryInterface(
  random: Random,
  budget: Budget,
  languages: readonly string[],
  options: ArbitraryOptions,
): InterfaceDefinition {
  const [code, subclass, descriptors] = arbitraryClass(random, options);
  return {
    class: code,
    ...(subclass > 0 || random.chance() ? { subclass } : {}),
    ...(random.chance(0.3) ? { protocol: random.int(0, 255) } : {}),
    ...(random.chance() ? { description: text(random, languages) } : {}),
    ...(descriptors.length > 0 ? { descriptors } : {}),
    ...(random.chance(0.9)
      ? { endpoints: arbitraryEndpoints(random, budget, options) }
      : {}),
    ...(random.chance(0.15)
      ? {
        alternates: Array.from({ length: random.int(1, 2) }, () => ({
          ...(random.chance(0.3) ? { protocol: random.int(0, 255) } : {}),
          ...(random.chance(0.3)
            ? { description: text(random, languages) }
            : random.chance(0.3)
            ? { description: "" }
            : {}),
          ...(random.chance(0.3) ? { descriptors: [] } : {}),
          endpoints: arbitraryEndpoints(random, budget, options),
        })),
      }
      : {}),
  };
}

function arbitraryClass(
  random: Random,
  options: ArbitraryOptions,
): [number, number, FunctionalDescriptor[]] {
  switch (random.int(0, 5)) {
    case 0:
      return [ClassCode.HID, random.int(0, 1), [
        hid({
          reportLength: random.int(1, 0xffff),
          countryCode: random.int(0, 35),
        }),
      ]];
    case 1:
      return [ClassCode.SMART_CARD, 0, [
        ccid({ maxSlotIndex: random.int(0, 3), pinSupport: random.int(0, 3) }),
      ]];
    case 2:
      if (options.dfu === false) return [ClassCode.VENDOR_SPECIFIC, 0, []];
      return [ClassCode.APPLICATION_SPECIFIC, 1, [
        dfu({
          canUpload: random.chance(),
          willDetach: random.chance(),
          transferSize: random.int(1, 4096),
        }),
      ]];
    default:
      return [ClassCode.VENDOR_SPECIFIC, random.int(0, 255), []];
  }
}

function text(random: Random, languages: readonly string[]): LocalizedString {
  const word = () => random.pick(["Echo", "Zähler", "Log", "数", "Probe 7"]);
  if (languages.length === 1 && random.chance()) return word();
  return Object.fromEntries(languages.map((it) => [it, word()]));
}

function arbitraryEndpoints(
  random: Random,
  budget: Budget,
  options: ArbitraryOptions,
): Record<string, EndpointDefinition> {
  const record: Record<string, EndpointDefinition> = {};
  const wanted = random.chance(0.1) ? random.int(4, 10) : random.int(0, 3);
  for (let i = 0; i < wanted; i++) {
    const kind = random.pick(["in", "out", "pair"] as const);
    const size = kind === "pair" ? 2 : 1;
    const isIn = kind !== "out";
    const isOut = kind !== "in";
    if (
      budget.left < size || (isIn && budget.in < 1) || (isOut && budget.out < 1)
    ) continue;
    budget.left -= size;
    if (isIn) budget.in--;
    if (isOut) budget.out--;
    const transferType = random.pick(
      options.isochronous === false
        ? ["bulk", "bulk", "interrupt"] as const
        : ["bulk", "interrupt", "isochronous"] as const,
    );
    const settings = () => arbitrarySettings(random, transferType);
    record[`${random.pick(["tx", "rx", "log"])}${budget.names++}`] =
      kind === "pair"
        ? {
          kind,
          transferType,
          ...(random.chance() ? { first: random.pick(["in", "out"]) } : {}),
          ...(random.chance() ? { in: settings() } : {}),
          ...(random.chance() ? { out: settings() } : {}),
        }
        : { kind, transferType, ...settings() };
  }
  return record;
}

function arbitrarySettings(
  random: Random,
  transferType: TransferType,
): EndpointSettings {
  if (transferType === "bulk") {
    return {
      ...(random.chance(0.2)
        ? { full: { maxPacketSize: random.pick([8, 16, 32, 64]) } }
        : {}),
      ...(random.chance(0.2) ? { high: { interval: random.int(0, 255) } } : {}),
      ...(random.chance(0.2) ? { super: { maxBurst: random.int(0, 15) } } : {}),
    };
  }
  const isInterrupt = transferType === "interrupt";
  const transactions = random.int(1, 3);
  return {
    ...(random.chance() ? { maxPacketSize: random.int(1, 1024) } : {}),
    ...(random.chance(0.3)
      ? { intervalUs: random.int(1, 5_000_000) }
      : random.chance()
      ? { intervalMs: random.int(1, 300) }
      : {}),
    ...(random.chance(0.2)
      ? { full: { maxPacketSize: random.int(1, isInterrupt ? 64 : 1023) } }
      : {}),
    ...(random.chance(0.2)
      ? {
        high: {
          transactions,
          maxPacketSize: random.int([1, 513, 683][transactions - 1], 1024),
        },
      }
      : {}),
    ...(random.chance(0.2)
      ? {
        super: {
          maxPacketSize: 1024,
          maxBurst: random.int(1, isInterrupt ? 2 : 15),
          ...(isInterrupt ? {} : { mult: random.int(0, 2) }),
        },
      }
      : {}),
    ...(!isInterrupt && random.chance()
      ? {
        synchronization: random.pick(["none", "asynchronous", "adaptive"]),
        usage: random.pick(["data", "feedback", "implicit-feedback"]),
        ...(random.chance() ? { audio: { refresh: random.int(0, 9) } } : {}),
      }
      : {}),
    ...(isInterrupt && random.chance(0.2) ? { usage: "notification" } : {}),
  };
}

function arbitraryAssociation(
  random: Random,
  count: number,
  languages: readonly string[],
) {
  const firstInterface = random.int(0, count - 1);
  return {
    firstInterface,
    interfaceCount: random.int(1, count - firstInterface),
    class: random.int(0, 255),
    ...(random.chance() ? { subclass: random.int(0, 255) } : {}),
    ...(random.chance() ? { description: text(random, languages) } : {}),
  };
}

function arbitraryFeatures(
  random: Random,
  count: number,
): MicrosoftOsFeature[] {
  const features: MicrosoftOsFeature[] = [];
  const identified = new Set<number>();
  for (let i = random.int(1, 4); i > 0; i--) {
    const number = random.int(0, count - 1);
    const name = `Name${random.int(0, 99)}`;
    if (random.chance() && !identified.has(number)) {
      identified.add(number);
      features.push(
        compatibleId(random.pick(["WINUSB", "MTP", "RNDIS"]), {
          interface: number,
          ...(random.chance() ? { subCompatibleId: "5162001" } : {}),
        }),
      );
    } else if (random.chance()) {
      const type = random.pick(["string", "expand-string", "link"] as const);
      const value = "x".repeat(random.int(0, 200));
      features.push(textProperty(name, value, { interface: number, type }));
    } else {
      const bytes = Array.from(
        { length: random.int(0, 200) },
        () => random.int(0, 255),
      );
      features.push(binaryProperty(name, bytes, { interface: number }));
    }
  }
  return features;
}
