"""The file of a device that the kernel's driver `usbtmc` has, and its ioctls."""

import ctypes
import fcntl
import hashlib
import os
import struct


def code(direction, number, size=0):
    return direction << 30 | size << 16 | 91 << 8 | number


NONE, WRITE, READ = 0, 1, 2

COMMANDS = {
    "indicator_pulse": 1,
    "clear": 2,
    "abort_bulk_out": 3,
    "abort_bulk_in": 4,
    "clear_out_halt": 6,
    "clear_in_halt": 7,
    "goto_local": 20,
    "local_lockout": 21,
    "trigger": 22,
    "cancel_io": 35,
    "cleanup_io": 36,
}
GETTERS = {
    "get_timeout": (9, "I"),
    "api_version": (16, "I"),
    "get_caps": (17, "B"),
    "read_stb": (18, "B"),
    "msg_in_attr": (24, "B"),
    "get_stb": (26, "B"),
    "get_srq_stb": (27, "B"),
}
SETTERS = {
    "set_timeout": (10, "I"),
    "eom_enable": (11, "B"),
    "config_termchar": (12, "BB"),
    "ren_control": (19, "B"),
    "wait_srq": (23, "I"),
    "auto_abort": (25, "B"),
}
# struct usbtmc_message
MESSAGE = struct.Struct("=IIIQ")
ASYNC, APPEND, IGNORE_TRAILER = 1, 2, 4


SYSFS = "/sys/class/usbmisc/usbtmc0/device"


class Driver:
    def __init__(self, path="/dev/usbtmc0"):
        self.fd = os.open(path, os.O_RDWR)
        self.bulk_in = next(
            int(name[3:], 16)
            for name in os.listdir(SYSFS)
            if name.startswith("ep_8")
            and open(f"{SYSFS}/{name}/type").read() == "Bulk\n"
        )

    def close(self):
        os.close(self.fd)

    def write(self, data):
        data = data.encode() if isinstance(data, str) else data
        return os.write(self.fd, data)

    def read(self, size=4096):
        return os.read(self.fd, size)

    def read_all(self, size=1 << 20):
        """Reads until the end of the message."""
        parts = []
        while True:
            parts.append(os.read(self.fd, size))
            if self.msg_in_attr() & 1:
                return b"".join(parts)

    def ask(self, text):
        self.write(text)
        return self.read().decode()

    def generic_write(self, data, flags=0):
        buffer = ctypes.create_string_buffer(data, len(data))
        return self._message(13, buffer, len(data), flags)

    def write_result(self):
        out = bytearray(4)
        fcntl.ioctl(self.fd, code(READ | WRITE, 15, 4), out)
        return struct.unpack("I", out)[0]

    def generic_read(self, size, flags=0):
        buffer = ctypes.create_string_buffer(size + 8192)
        done = self._message(14, buffer, size, flags)
        return buffer.raw[:done]

    def control(self, request_type, request, value, index, length):
        """Sends a control request to the device."""
        buffer = ctypes.create_string_buffer(length)
        setup = struct.pack("<BBHHH", request_type, request, value, index, length)
        argument = bytearray(setup + struct.pack("=Q", ctypes.addressof(buffer)))
        done = fcntl.ioctl(self.fd, code(READ | WRITE, 8, len(argument)), argument)
        return list(buffer.raw[:done])

    def _message(self, number, buffer, size, flags):
        message = bytearray(
            MESSAGE.pack(size, 0, flags, ctypes.addressof(buffer))
        )
        fcntl.ioctl(self.fd, code(READ | WRITE, number, MESSAGE.size), message)
        return MESSAGE.unpack(message)[1]

    def __getattr__(self, name):
        if name in COMMANDS:
            number = COMMANDS[name]
            return lambda: fcntl.ioctl(self.fd, code(NONE, number))
        if name in GETTERS:
            number, form = GETTERS[name]
            return lambda: self._get(number, form)
        if name in SETTERS:
            number, form = SETTERS[name]
            return lambda *values: self._set(number, form, values)
        raise AttributeError(name)

    def _get(self, number, form):
        out = bytearray(struct.calcsize(form))
        fcntl.ioctl(self.fd, code(READ, number, len(out)), out)
        return struct.unpack(form, out)[0]

    def _set(self, number, form, values):
        argument = struct.pack(form, *values)
        return fcntl.ioctl(self.fd, code(WRITE, number, len(argument)), argument)
