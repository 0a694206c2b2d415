"""What a program sends to other machines, whatever part of it sends: Python, or native code.

    python tests/network.py LOG COMMAND…

runs the command where every packet ends at a watcher: in a network namespace of its own, whose
only way out is the loopback device. The exit code is the command's; LOG gets a JSON line for each
packet that was meant for another machine, and for each question to a name server, wherever that
is. Loopback works as usual, so a page and who looks at it may both run in there.

It takes Linux and no tool, only the right to make a namespace, which `forbidden` asks for.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import ipaddress
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

# From the kernel's headers: sched.h, sys/mount.h, if.h, sockios.h, if_packet.h, route.h.
_NEWNS, _NEWUSER, _NEWNET = 0x20000, 0x10000000, 0x40000000
_MS_BIND, _MS_PRIVATE_ALL = 4096, 0x44000
_SIOCADDRT, _SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x890B, 0x8914, 0x8916, 0x891C
_IFF_UP, _RTF_UP, _RTF_LOCAL = 1, 1, 0x80000000
_SOL_PACKET, _PACKET_STATISTICS, _OUTGOING, _ALL = 263, 6, 4, 3
_SO_ATTACH_FILTER, _KEPT_BYTES = 26, 512
_IPV4, _IPV6, _DNS = 0x0800, 0x86DD, 53
_TCP, _UDP, _SYN, _ACK = 6, 17, 2, 16
_KERNEL_TALKS = (1, 2, 58)  # ICMP, IGMP and ICMPv6: no program asked for them


def watched(command: Sequence[str], log: Path, **options: Any) -> subprocess.Popen[str]:
    """Start a command under the watcher; what it sends stands in `log` once it has ended."""
    watcher = [sys.executable, __file__, str(log), *command]
    return subprocess.Popen(watcher, text=True, **options)


def sent(log: Path) -> list[str]:
    """Each thing that was sent, once: such as "udp 192.0.2.53:53 example.org"."""
    return list(dict.fromkeys(json.loads(line) for line in log.read_text().splitlines()))


def forbidden() -> str | None:
    """Why the kernel does not let this user make a namespace; None if it does."""
    with tempfile.TemporaryDirectory() as folder:
        tried = watched(["true"], Path(folder) / "log", stderr=subprocess.PIPE)
        told = tried.communicate(timeout=60)[1]
    return told.strip().splitlines()[-1] if tried.returncode else None


def main(log: Path, command: Sequence[str]) -> int:
    """Run the command; its exit code."""
    _enter_namespace()
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ALL)) as packets:
        _leave_out_loopback(packets)
        packets.settimeout(0.1)
        ended = threading.Event()
        with log.open("w") as file:

            def write() -> None:
                for line in _outgoing(packets, ended.is_set):
                    file.write(json.dumps(line) + "\n")

            writer = threading.Thread(target=write)
            writer.start()
            try:
                code = subprocess.run(command, check=False).returncode
            finally:
                ended.set()
                writer.join()
        lost = struct.unpack("II", packets.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))[1]
    if lost:
        raise SystemExit(f"{lost} packets came too fast to be looked at")
    return code


def _enter_namespace() -> None:
    """Leave the network of this machine for one that leads nowhere."""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(_NEWUSER | _NEWNET | _NEWNS) == 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    elif libc.unshare(_NEWNET | _NEWNS) != 0:
        raise SystemExit(f"no network namespace: {os.strerror(ctypes.get_errno())}")
    libc.mount(b"none", b"/", None, _MS_PRIVATE_ALL, None)
    _ask_name_servers_only(libc)
    _lead_everything_to_loopback()


def _ask_name_servers_only(libc: ctypes.CDLL) -> None:
    """Let nobody look up names by a socket of this machine (systemd, nscd), which stays open."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as rules:
        rules.write("hosts: files dns\n")
        rules.flush()
        libc.mount(rules.name.encode(), b"/etc/nsswitch.conf", None, _MS_BIND, None)
    libc.mount(b"none", b"/run/nscd", b"tmpfs", 0, None)


def _lead_everything_to_loopback() -> None:
    """Make every address one of this device: whoever speaks to it is refused at once."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))
        # The halves of what is not yet led there: 128.*, 64.*, down to 1.*; 0.* is no address.
        for bit in range(8):
            name = f"lo:{bit}".encode()
            for request, address in (
                (_SIOCSIFADDR, f"{1 << bit}.0.0.1"),
                (_SIOCSIFNETMASK, f"{256 - (1 << bit)}.0.0.0"),
            ):
                numbers = socket.AF_INET, 0, socket.inet_aton(address)
                fcntl.ioctl(control, request, struct.pack("16sHH4s16x", name, *numbers))
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
            nowhere, flags = bytes(16), _RTF_UP | _RTF_LOCAL
            device = socket.if_nametoindex("lo")
            route = (nowhere, nowhere, nowhere, 0, 0, 0, 1024, 0, flags, device)
            fcntl.ioctl(control, _SIOCADDRT, struct.pack("16s16s16sIHHILIi", *route))
    except OSError as error:
        if error.errno not in (errno.EAFNOSUPPORT, errno.ENODEV, errno.EACCES, errno.EPERM):
            raise  # else nobody here can speak IPv6


def _leave_out_loopback(packets: socket.socket) -> None:
    """See only what is sent, not also what arrives, and of 127.* only what goes to port 53.

    What is left is so little that none is missed, however much a page sends to its browser.
    """
    ethertype, direction = 0xFFFFF000, 0xFFFFF004
    program = [  # code, jump if true, jump if not, value: see man 7 socket, bpf(4) of BSD
        (0x20, 0, 0, direction),
        (0x15, 0, 8, _OUTGOING),
        (0x20, 0, 0, ethertype),
        (0x15, 0, 5, _IPV4),
        (0x30, 0, 0, 16),  # first byte of the address
        (0x15, 0, 3, 127),
        (0xB1, 0, 0, 0),  # length of the header
        (0x48, 0, 0, 2),  # port
        (0x15, 0, 1, _DNS),
        (0x06, 0, 0, _KEPT_BYTES),
        (0x06, 0, 0, 0),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    described = struct.pack("HL", len(program), ctypes.addressof(code))
    packets.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, described)


def _outgoing(packets: socket.socket, ended: Callable[[], bool]) -> Iterator[str]:
    """What leaves for another machine, or asks for a name."""
    while True:
        try:
            data, (_, kind, *_) = packets.recvfrom(_KEPT_BYTES)
        except TimeoutError:
            if ended():
                return
            continue
        if line := _told(data, kind):
            yield line


def _told(data: bytes, kind: int) -> str | None:
    if kind == _IPV4:
        protocol, rest = data[9], data[(data[0] & 15) * 4 :]
        address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.IPv4Address(data[16:20])
    elif kind == _IPV6:
        protocol, address, rest = data[6], ipaddress.IPv6Address(data[24:40]), data[40:]
    else:
        return f"protocol {kind:#06x}"
    answers = protocol == _TCP and rest[13] & (_SYN | _ACK) != _SYN
    port = int.from_bytes(rest[2:4], "big")
    if answers or protocol in _KERNEL_TALKS or (address.is_loopback and port != _DNS):
        return None
    if protocol == _UDP and port == _DNS:
        return f"udp {address}:{port} {_asked(rest[8:])}"
    known = {_TCP: "tcp", _UDP: "udp"}
    return f"{known.get(protocol, protocol)} {address}:{port}"


def _asked(message: bytes) -> str:
    """The name that a message to a name server asks for."""
    labels, at = [], 12
    while at < len(message) and (n := message[at]):
        labels.append(message[at + 1 : at + 1 + n].decode("ascii", "replace"))
        at += 1 + n
    return ".".join(labels)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
