/**
 * Takes the descriptors of a device apart, and keeps where each of them is.
 *
 * @module
 */
import { hex } from "../../arguments/show.ts";
import {
  ASSOCIATION_LENGTH,
  AUDIO_ENDPOINT_LENGTH,
  COMPANION_LENGTH,
  ENDPOINT_LENGTH,
  INTERFACE_LENGTH,
} from "../../compile/descriptor_encoding.ts";
import { DescriptorType } from "../../usb/descriptor_type.ts";
import {
  CONFIGURATION_LENGTH,
  splitDescriptors,
} from "../decode_descriptors.ts";
import type {
  ConfigurationSource,
  EndpointSource,
  SettingSource,
  Source,
} from "./device_descriptors.ts";

const DEVICE_LENGTH = 18;

type Mutable<T> = {
  -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K];
};

/**
 * Takes the descriptors of a device apart.
 *
 * @throws {RangeError} When they do not begin with a device descriptor and a configuration, or are cut off.
 */
export function takeApart(
  bytes: Uint8Array,
): {
  readonly device: Source;
  readonly configurations: readonly ConfigurationSource[];
} {
  const [device, ...others] = splitDescriptors(bytes).map((it) => ({
    bytes: it,
    offset: it.byteOffset - bytes.byteOffset,
    place: "device",
  }));
  if (!isA(device?.bytes, DescriptorType.DEVICE, DEVICE_LENGTH)) {
    throw refused("a device descriptor of 18 bytes");
  }
  const configurations: Mutable<ConfigurationSource>[] = [];
  const settings = new SettingReader();
  for (const it of others) {
    if (isA(it.bytes, DescriptorType.CONFIGURATION, CONFIGURATION_LENGTH)) {
      const place = `configuration ${it.bytes[5]}`;
      const lists = { associations: [], others: [], settings: [] };
      configurations.push({ ...it, place, length: 0, ...lists });
      settings.end();
      continue;
    }
    const configuration = configurations.at(-1);
    if (configuration === undefined) throw refused("a configuration next");
    settings.read(configuration, it);
  }
  configurations.forEach((each, index) => {
    const end = configurations[index + 1]?.offset ?? bytes.length;
    each.length = end - each.offset;
  });
  if (configurations.length === 0) throw refused("a configuration next");
  return { device, configurations };
}

/** Reads what follows a configuration descriptor. */
class SettingReader {
  #setting: Mutable<SettingSource> | undefined;
  #endpoint: Mutable<EndpointSource> | undefined;

  /** A configuration ends. */
  end(): void {
    this.#setting = undefined;
    this.#endpoint = undefined;
  }

  read(
    { associations, others, settings, place }: Mutable<ConfigurationSource>,
    { bytes, offset }: Source,
  ): void {
    const endpoint = this.#endpoint;
    this.#endpoint = undefined;
    if (isA(bytes, DescriptorType.INTERFACE, INTERFACE_LENGTH)) {
      const [, , number, alternate] = bytes;
      const at = `${place}, interface ${number}${
        alternate > 0 ? `, alternate setting ${alternate}` : ""
      }`;
      const lists = { descriptors: [], endpoints: [] };
      const numbers = { number, alternate };
      this.#setting = { bytes, offset, place: at, ...numbers, ...lists };
      settings.push(this.#setting);
    } else if (
      isA(bytes, DescriptorType.INTERFACE_ASSOCIATION, ASSOCIATION_LENGTH)
    ) {
      const at = `${place}, association of interface ${bytes[2]}`;
      associations.push({ bytes, offset, place: at });
      this.#setting = undefined;
    } else if (this.#setting && isEndpoint(bytes)) {
      const at = `${this.#setting.place}, endpoint ${hex(bytes[2])}`;
      this.#endpoint = { bytes, offset, place: at };
      this.#setting.endpoints.push(this.#endpoint);
    } else if (endpoint && isCompanion(bytes)) {
      const at = `${endpoint.place}, companion`;
      endpoint.companion = { bytes, offset, place: at };
    } else {
      const owner = this.#setting ?? { place, descriptors: others };
      const at = `${owner.place}, descriptor ${hex(bytes[1])}`;
      owner.descriptors.push({ bytes, offset, place: at });
    }
  }
}

function isA(
  bytes: Uint8Array | undefined,
  type: number,
  length: number,
): boolean {
  return bytes !== undefined && bytes[1] === type && bytes.length === length;
}

function isEndpoint(bytes: Uint8Array): boolean {
  return isA(bytes, DescriptorType.ENDPOINT, ENDPOINT_LENGTH) ||
    isA(bytes, DescriptorType.ENDPOINT, AUDIO_ENDPOINT_LENGTH);
}

function isCompanion(bytes: Uint8Array): boolean {
  const type = DescriptorType.SUPERSPEED_ENDPOINT_COMPANION;
  return isA(bytes, type, COMPANION_LENGTH);
}

function refused(expected: string): RangeError {
  return new RangeError(
    `Cannot make a definition of a device: its descriptors must have ${expected}`,
  );
}
