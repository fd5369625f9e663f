"""A gadget on python-functionfs. See gadget.h for what it says and is told.

    python_functionfs.py MOUNT SIZE DEPTH

Size and number of reads are settled when its Function is made, so there is
one process for each pair of them. Reads are always pending.
"""
import os
import select
import sys

import functionfs
from functionfs import ch9

MOUNT, SIZE, DEPTH = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
PACKET = 1024

left = {"in": 0, "out": 0}
answer = None


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def count(direction):
    left[direction] -= 1
    if left["in"] <= 0 and left["out"] <= 0:
        say("done")


class Source(functionfs.EndpointINFile):
    to_submit = 0

    def prime(self, size, depth, number):
        self.to_submit = number
        for _ in range(min(depth, number)):
            self.to_submit -= 1
            self.submit([bytearray(size)])

    def onComplete(self, buffer_list, user_data, status):
        if status < 0:
            return False
        if user_data is not None:  # an answer to a ping
            return False
        count("in")
        if self.to_submit <= 0:
            return False
        self.to_submit -= 1
        return True


class Sink(functionfs.EndpointOUTFile):
    def onComplete(self, data, status):
        if status != 0:
            return
        if answer is not None:
            function.getEndpoint(1).submit([answer], True)
        count("out")


class Bench(functionfs.Function):
    def __init__(self):
        endpoints = [
            {"endpoint": {
                "bEndpointAddress": direction,
                "bmAttributes": ch9.USB_ENDPOINT_XFER_BULK,
            }}
            for direction in (ch9.USB_DIR_IN, ch9.USB_DIR_OUT)
        ]
        full, high, super_ = functionfs.getInterfaceInAllSpeeds(
            interface={
                "bInterfaceClass": ch9.USB_CLASS_VENDOR_SPEC,
                "iInterface": 1,
            },
            endpoint_list=endpoints,
        )
        super().__init__(
            MOUNT,
            fs_list=full,
            hs_list=high,
            ss_list=super_,
            lang_dict={0x0409: ["bench"]},
            in_aio_blocks_max=max(64, DEPTH),
            out_aio_blocks_per_endpoint=DEPTH,
            out_aio_blocks_max_packet_count=max(1, SIZE // PACKET),
        )

    def getEndpointClass(self, is_in, descriptor):
        return Source if is_in else Sink


def command(line):
    global answer
    kind, size, depth, number = line.split()
    size, depth, number = int(size), int(depth), int(number)
    answer = bytearray(size) if kind == "ping" else None
    left["in"] = number if kind in ("in", "duplex") else 0
    left["out"] = number if kind != "in" else 0
    say("ready")
    if kind in ("in", "duplex"):
        function.getEndpoint(1).prime(size, depth, number)


function = Bench()
with function, select.epoll(2) as epoll:
    epoll.register(function.eventfd, select.EPOLLIN)
    epoll.register(0, select.EPOLLIN)
    say("open")
    pending = b""
    running = True
    while running:
        for fd, _ in epoll.poll():
            if fd != 0:
                function.processEvents()
                continue
            data = os.read(0, 4096)
            running = bool(data)
            *lines, pending = (pending + data).split(b"\n")
            for each in lines:
                command(each.decode())
    # Closing would wait for reads that nobody ends.
    os._exit(0)
