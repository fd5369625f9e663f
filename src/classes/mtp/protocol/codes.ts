/**
 * Codes of PTP (ISO 15740), MTP 1.1 and Android's extension.
 *
 * @module
 */

/** Operations: PTP 10, MTP 1.1 appendix D, Android's `mtp.h`. */
export const OperationCode = {
  GetDeviceInfo: 0x1001,
  OpenSession: 0x1002,
  CloseSession: 0x1003,
  GetStorageIDs: 0x1004,
  GetStorageInfo: 0x1005,
  GetNumObjects: 0x1006,
  GetObjectHandles: 0x1007,
  GetObjectInfo: 0x1008,
  GetObject: 0x1009,
  GetThumb: 0x100a,
  DeleteObject: 0x100b,
  SendObjectInfo: 0x100c,
  SendObject: 0x100d,
  InitiateCapture: 0x100e,
  GetDevicePropDesc: 0x1014,
  GetDevicePropValue: 0x1015,
  SetDevicePropValue: 0x1016,
  ResetDevicePropValue: 0x1017,
  MoveObject: 0x1019,
  CopyObject: 0x101a,
  GetPartialObject: 0x101b,
  GetPartialObject64: 0x95c1,
  SendPartialObject: 0x95c2,
  TruncateObject: 0x95c3,
  BeginEditObject: 0x95c4,
  EndEditObject: 0x95c5,
  GetObjectPropsSupported: 0x9801,
  GetObjectPropDesc: 0x9802,
  GetObjectPropValue: 0x9803,
  SetObjectPropValue: 0x9804,
  GetObjectPropList: 0x9805,
  SetObjectPropList: 0x9806,
  SendObjectPropList: 0x9808,
  GetObjectReferences: 0x9810,
  SetObjectReferences: 0x9811,
} as const;

/** Events: PTP 12, MTP 1.1 appendix G. */
export const EventCode = {
  ObjectAdded: 0x4002,
  ObjectRemoved: 0x4003,
  StoreAdded: 0x4004,
  StoreRemoved: 0x4005,
  DevicePropChanged: 0x4006,
  ObjectInfoChanged: 0x4007,
  StoreFull: 0x400a,
  StorageInfoChanged: 0x400c,
  CaptureComplete: 0x400d,
  /** Events were lost: the host has to read everything again. */
  UnreportedStatus: 0x400e,
} as const;

/** Types of data: PTP 5.3. */
export const DataType = {
  INT8: 0x0001,
  UINT8: 0x0002,
  INT16: 0x0003,
  UINT16: 0x0004,
  INT32: 0x0005,
  UINT32: 0x0006,
  INT64: 0x0007,
  UINT64: 0x0008,
  INT128: 0x0009,
  UINT128: 0x000a,
  AUINT8: 0x4002,
  AUINT16: 0x4004,
  AUINT32: 0x4006,
  STR: 0xffff,
} as const;

/** Properties of objects: MTP 1.1 appendix B. */
export const ObjectProperty = {
  StorageID: 0xdc01,
  ObjectFormat: 0xdc02,
  ProtectionStatus: 0xdc03,
  ObjectSize: 0xdc04,
  ObjectFileName: 0xdc07,
  DateCreated: 0xdc08,
  DateModified: 0xdc09,
  ParentObject: 0xdc0b,
  PersistentUniqueObjectIdentifier: 0xdc41,
  Name: 0xdc44,
  NonConsumable: 0xdc4f,
} as const;

/** Properties of the device: PTP 13, MTP 1.1 appendix C. */
export const DeviceProperty = {
  BatteryLevel: 0x5001,
  SynchronizationPartner: 0xd401,
  DeviceFriendlyName: 0xd402,
  SessionInitiatorVersionInfo: 0xd406,
  PerceivedDeviceType: 0xd407,
} as const;

/** Formats that are no file's: PTP 6, MTP 1.1 appendix A. */
export const ObjectFormat = {
  Undefined: 0x3000,
  Association: 0x3001,
} as const;

/** Operation handles and parents with a meaning of their own. */
export const ALL = 0xffff_ffff;
