/**
 * The shape of an endpoint.
 *
 * @module
 */

import { isPlain, oneOf } from "../../arguments/rules.ts";
import type {
  AudioEndpointSettings,
  EndpointSettings,
  HighSpeedSettings,
  InEndpointDefinition,
  PairEndpointDefinition,
  SpeedSettings,
  SuperSpeedSettings,
} from "../../definition/endpoint.ts";
import type { ProblemList } from "../problem.ts";
import {
  anything,
  type Fields,
  kinds,
  number,
  record,
  type Shape,
  value,
} from "../shape.ts";

const SPEED: Fields<SpeedSettings> = {
  maxPacketSize: number,
  interval: number,
};

const full = record<SpeedSettings>(
  "the settings of a speed",
  SPEED,
  "{ maxPacketSize: 64 }",
);

const high = record<HighSpeedSettings>(
  "the settings of high speed",
  { ...SPEED, transactions: number },
  "{ interval: 4 }",
);

const superSpeed = record<SuperSpeedSettings>(
  "the settings of super speed",
  {
    ...SPEED,
    maxBurst: number,
    streams: number,
    mult: number,
    bytesPerInterval: number,
  },
  "{ maxBurst: 3 }",
);

const audio = record<AudioEndpointSettings>(
  "the audio settings of an endpoint",
  { refresh: number, synchAddress: number },
  "{ refresh: 0 }",
);

const SETTINGS: Fields<EndpointSettings> = {
  intervalMs: number,
  intervalUs: number,
  maxPacketSize: number,
  address: number,
  synchronization: anything,
  usage: anything,
  audio,
  full,
  high,
  super: superSpeed,
};

const single = record<InEndpointDefinition>(
  "an endpoint",
  { kind: anything, transferType: anything, ...SETTINGS },
  "bulkIn()",
);

const endpointOfPair = record<EndpointSettings>(
  "an endpoint of a pair",
  SETTINGS,
  "{ address: 0x81 }",
);

const pair = record<PairEndpointDefinition>(
  "a pair of endpoints",
  {
    kind: anything,
    transferType: anything,
    first: value(oneOf("in", "out")),
    in: endpointOfPair,
    out: endpointOfPair,
  },
  "bulkPair()",
);

const TRANSFER_TYPES: readonly unknown[] = ["bulk", "interrupt", "isochronous"];

const anyEndpoint = kinds({ in: single, out: single, pair }, unknownEndpoint);

/** An endpoint, or a pair of them. */
export const endpoint: Shape = (problems, it, path) => {
  if (!isPlain(it) || TRANSFER_TYPES.includes(it.transferType)) {
    return anyEndpoint(problems, it, path);
  }
  unknownEndpoint(problems, path);
  return false;
};

function unknownEndpoint(problems: ProblemList, path: string): void {
  problems.writeFails(
    "endpoint",
    path,
    "The endpoint is of no known kind: use bulkIn(), bulkOut(), bulkPair() or another endpoint builder",
  );
}
