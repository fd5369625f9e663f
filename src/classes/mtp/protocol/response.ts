/**
 * Responses: how an operation has ended (PTP 11, MTP 1.1 appendix F).
 *
 * @module
 */

/**
 * The responses that the responder gives, by their names in the specifications.
 *
 * @category Object stores
 */
export type ResponseName =
  | "OK"
  | "General_Error"
  | "Session_Not_Open"
  | "Invalid_TransactionID"
  | "Operation_Not_Supported"
  | "Parameter_Not_Supported"
  | "Incomplete_Transfer"
  | "Invalid_StorageID"
  | "Invalid_ObjectHandle"
  | "DeviceProp_Not_Supported"
  | "Invalid_ObjectFormatCode"
  | "Store_Full"
  | "Object_WriteProtected"
  | "Store_Read_Only"
  | "Access_Denied"
  | "No_Thumbnail_Present"
  | "Partial_Deletion"
  | "Store_Not_Available"
  | "Specification_By_Format_Unsupported"
  | "No_Valid_ObjectInfo"
  | "Device_Busy"
  | "Invalid_ParentObject"
  | "Invalid_DeviceProp_Format"
  | "Invalid_DeviceProp_Value"
  | "Invalid_Parameter"
  | "Session_Already_Open"
  | "Transaction_Cancelled"
  | "Invalid_ObjectPropCode"
  | "Invalid_ObjectProp_Format"
  | "Invalid_ObjectProp_Value"
  | "Invalid_ObjectReference"
  | "Invalid_Dataset"
  | "Specification_By_Group_Unsupported"
  | "Specification_By_Depth_Unsupported"
  | "Object_Too_Large"
  | "ObjectProp_Not_Supported";

/** The codes of responses. */
export const RESPONSE_CODES: Readonly<Record<ResponseName, number>> = {
  OK: 0x2001,
  General_Error: 0x2002,
  Session_Not_Open: 0x2003,
  Invalid_TransactionID: 0x2004,
  Operation_Not_Supported: 0x2005,
  Parameter_Not_Supported: 0x2006,
  Incomplete_Transfer: 0x2007,
  Invalid_StorageID: 0x2008,
  Invalid_ObjectHandle: 0x2009,
  DeviceProp_Not_Supported: 0x200a,
  Invalid_ObjectFormatCode: 0x200b,
  Store_Full: 0x200c,
  Object_WriteProtected: 0x200d,
  Store_Read_Only: 0x200e,
  Access_Denied: 0x200f,
  No_Thumbnail_Present: 0x2010,
  Partial_Deletion: 0x2012,
  Store_Not_Available: 0x2013,
  Specification_By_Format_Unsupported: 0x2014,
  No_Valid_ObjectInfo: 0x2015,
  Device_Busy: 0x2019,
  Invalid_ParentObject: 0x201a,
  Invalid_DeviceProp_Format: 0x201b,
  Invalid_DeviceProp_Value: 0x201c,
  Invalid_Parameter: 0x201d,
  Session_Already_Open: 0x201e,
  Transaction_Cancelled: 0x201f,
  Invalid_ObjectPropCode: 0xa801,
  Invalid_ObjectProp_Format: 0xa802,
  Invalid_ObjectProp_Value: 0xa803,
  Invalid_ObjectReference: 0xa804,
  Invalid_Dataset: 0xa806,
  Specification_By_Group_Unsupported: 0xa807,
  Specification_By_Depth_Unsupported: 0xa808,
  Object_Too_Large: 0xa809,
  ObjectProp_Not_Supported: 0xa80a,
};

/**
 * An operation ends with this response. An {@linkcode ObjectStore} throws it to
 * choose what the host sees.
 *
 * @category Object stores
 */
export class ResponseError extends Error {
  /** The name of the class. */
  override name = "ResponseError";
  /** The response. */
  readonly response: Exclude<ResponseName, "OK">;

  /**
   * Chooses a response.
   *
   * @throws {TypeError} If there is no such response.
   */
  constructor(response: Exclude<ResponseName, "OK">, options?: ErrorOptions) {
    if (!Object.hasOwn(RESPONSE_CODES, response)) {
      throw new TypeError(
        `Cannot make ResponseError: there is no response "${response}"`,
      );
    }
    super(response, options);
    this.response = response;
  }
}

/** Responses for what the system reports, by the names of error numbers. */
const BY_ERRNO: Readonly<Record<string, Exclude<ResponseName, "OK">>> = {
  ENOENT: "Invalid_ObjectHandle",
  ENOTDIR: "Invalid_ObjectHandle",
  ELOOP: "Access_Denied",
  EACCES: "Access_Denied",
  EPERM: "Access_Denied",
  EEXIST: "Access_Denied",
  ENOTEMPTY: "Partial_Deletion",
  EISDIR: "Access_Denied",
  ETXTBSY: "Access_Denied",
  EROFS: "Store_Read_Only",
  ENOSPC: "Store_Full",
  EDQUOT: "Store_Full",
  EFBIG: "Object_Too_Large",
  ENAMETOOLONG: "Invalid_Parameter",
  EINVAL: "Invalid_Parameter",
};

/**
 * The response for an error; `undefined` if it is none that a host can cause, and
 * should be reported to the program.
 */
export function responseTo(
  error: unknown,
): Exclude<ResponseName, "OK"> | undefined {
  if (error instanceof ResponseError) return error.response;
  const code = (error as { code?: unknown } | null | undefined)?.code;
  const isErrno = typeof code === "string" && Object.hasOwn(BY_ERRNO, code);
  return isErrno ? BY_ERRNO[code] : undefined;
}
