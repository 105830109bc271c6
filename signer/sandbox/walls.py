"""
The walls around a child: limits, no new privileges, no files but our code (Landlock), few system calls (seccomp).

Each wall that the platform lacks is missing, and `probe` says which: it tries to get out. Source: prctl(2),
seccomp(2), landlock(7), setrlimit(2); the numbers of system calls are those of the Linux kernel's tables.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import signal
import site
import socket
import struct
import sys
import sysconfig
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_FILTER = 2

_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_ALLOWED: Final = {
    # name: (x86_64, aarch64); -1 where the architecture has no such call
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "pread64": (17, 67),
    "close": (3, 57),
    "lseek": (8, 62),
    "fstat": (5, 80),
    "stat": (4, -1),
    "lstat": (6, -1),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "access": (21, -1),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, -1),
    "readlinkat": (267, 78),
    "getdents64": (217, 61),
    "getcwd": (79, 17),
    "dup": (32, 23),
    "dup3": (292, 24),
    "fcntl": (72, 25),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "brk": (12, 214),
    "madvise": (28, 233),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "futex": (202, 98),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "time": (201, -1),
    "getrandom": (318, 278),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "getrusage": (98, 165),
    "getrlimit": (97, -1),
    "times": (100, 153),
    "sysinfo": (99, 179),
    "uname": (63, 160),
    "pipe2": (293, 59),
    "eventfd2": (290, 19),
    "epoll_create1": (291, 20),
    "epoll_ctl": (233, 21),
    "epoll_wait": (232, -1),
    "epoll_pwait": (281, 22),
    "poll": (7, -1),
    "ppoll": (271, 73),
    "select": (23, -1),
    "pselect6": (270, 72),
    "rseq": (334, 293),
    "set_robust_list": (273, 99),
    "restart_syscall": (219, 128),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
"""What parsing a file in memory needs: nothing that opens a way out, makes a process, or touches another one."""
_MASKED: Final = (
    # (x86_64, aarch64), argument, bits that must be clear
    ((257, 56), 2, os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND),  # openat: to read only
    ((2, -1), 1, os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND),  # open
    ((9, 222), 2, 4),  # mmap without PROT_EXEC: no new code
    ((10, 226), 2, 4),  # mprotect
)
_EXACT: Final = (
    # (x86_64, aarch64), argument, its only values
    ((53, 199), 0, (socket.AF_UNIX,)),  # socketpair: an event loop's own wake-up
    ((16, 29), 1, (0x5401, 0x5421, 0x5451)),  # ioctl: is it a terminal, non-blocking, close on exec
)
_LOAD, _JUMP_EQUAL, _JUMP_SET, _JUMP_GREATER, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | 1
_X32: Final = 0x40000000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_VERSION_FLAG, _PATH_BENEATH = 1, 1
_RIGHTS_BY_VERSION: Final = {1: 13, 2: 14, 3: 15, 4: 15}
_MOST_RIGHTS = 16
_READ_FILE_AND_DIR = 1 << 2 | 1 << 3
_NO_TCP, _NO_SIGNALS_OUT = 3, 3
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
_MOST_GROWTH = 48_000_000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filters", ctypes.c_char_p))


def close_out() -> None:
    """Give up, in the nursery, what no child needs; children inherit it."""
    _limit("RLIMIT_CORE", 0)
    if sys.platform == "linux":
        library = _library()
        library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        library.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def close_in(limits: Mapping[str, Any]) -> None:
    """Build the walls of one child."""
    _limit("RLIMIT_FSIZE", 0)
    _limit("RLIMIT_NOFILE", int(limits["open_files"]))
    _limit("RLIMIT_CPU", int(limits["cpu_s"]))
    _limit("RLIMIT_AS", int(limits["memory_bytes"]))
    if sys.platform == "linux":
        library = _library()
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _restrict_files(library)
        _restrict_calls(library)


def probe(_header: bytes, _data: bytes) -> bytes:
    """Try, as a task in a child, to get out in every way; return which walls stood: {"seccomp": true, ...}."""
    tries: dict[str, Callable[[], object]] = {
        "seccomp": lambda: socket.socket().close(),
        "no-new-process": os.fork,
        "landlock": lambda: Path("/etc/passwd").read_bytes(),
        "no-writing": lambda: os.close(os.open("/dev/null", os.O_WRONLY)),
        "no-signals": lambda: os.kill(os.getppid(), 0),
    }
    return json.dumps({name: _is_refused(way) for name, way in tries.items()}).encode()


def resident_most() -> int:
    """Return how much memory this process had at its fullest, in bytes."""
    import resource  # noqa: PLC0415 - absent on Windows, where this package must still import

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT


def is_as_born(*, cpu_s: float, born_bytes: int) -> bool:
    """
    Tell whether a child is still fit for another file.

    Its limits are for its whole life: it stops at a quarter of the processor time of one file, so that each file has
    nearly all of it, and when a file made it grow.
    """
    return time.process_time() < cpu_s / 4 and resident_most() - born_bytes < _MOST_GROWTH


def _is_refused(way: Callable[[], object]) -> bool:
    try:
        if way() == 0:
            os._exit(0)  # a child of the child
    except OSError:
        return True
    return False


def _limit(name: str, most: int) -> None:
    import resource  # noqa: PLC0415 - absent on Windows, where this package must still import

    with suppress(ValueError, OSError, AttributeError):
        resource.setrlimit(getattr(resource, name), (most, most))


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _restrict_calls(library: ctypes.CDLL) -> None:
    """Let through the system calls of the table, refuse every other (EPERM)."""
    code = program(platform.machine())
    if code:
        filters = ctypes.create_string_buffer(code, len(code))
        wanted = _Program(len(code) // 8, ctypes.cast(filters, ctypes.c_char_p))
        library.prctl(_PR_SET_SECCOMP, _SECCOMP_FILTER, ctypes.byref(wanted), 0, 0)


def program(machine: str) -> bytes:
    """Return the filter for an architecture in the kernel's form (8 bytes an instruction), empty for an unknown one."""
    if machine not in _ARCHITECTURES:
        return b""
    which = list(_ARCHITECTURES).index(machine)
    return b"".join(struct.pack("=HBBI", *each) for each in _instructions(which, _ARCHITECTURES[machine]))


def _instructions(which: int, architecture: int) -> Iterator[tuple[int, int, int, int]]:
    yield (_LOAD, 0, 0, _ARCHITECTURE)
    yield (_JUMP_EQUAL, 1, 0, architecture)
    yield (_RETURN, 0, 0, _KILL)
    yield (_LOAD, 0, 0, _NUMBER)
    yield (_JUMP_GREATER, 0, 1, _X32)
    yield (_RETURN, 0, 0, _KILL)
    for numbers in _ALLOWED.values():
        if numbers[which] >= 0:
            yield (_JUMP_EQUAL, 0, 1, numbers[which])
            yield (_RETURN, 0, 0, _ALLOW)
    for numbers, argument, bits in _MASKED:
        if numbers[which] >= 0:
            yield (_JUMP_EQUAL, 0, 4, numbers[which])
            yield (_LOAD, 0, 0, _ARGUMENTS + 8 * argument)
            yield (_JUMP_SET, 0, 1, bits)
            yield (_RETURN, 0, 0, _REFUSE)
            yield (_RETURN, 0, 0, _ALLOW)
    for numbers, argument, values in _EXACT:
        if numbers[which] >= 0:
            yield (_JUMP_EQUAL, 0, 2 + 2 * len(values), numbers[which])
            yield (_LOAD, 0, 0, _ARGUMENTS + 8 * argument)
            for value in values:
                yield (_JUMP_EQUAL, 0, 1, value)
                yield (_RETURN, 0, 0, _ALLOW)
            yield (_RETURN, 0, 0, _REFUSE)
    yield (_RETURN, 0, 0, _REFUSE)


def _restrict_files(library: ctypes.CDLL) -> None:
    """Leave only reading, and only where our code and its libraries are; no TCP, no signals to other processes."""
    version = library.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), _LANDLOCK_VERSION_FLAG)
    if version < 1:
        return
    handled = (1 << _RIGHTS_BY_VERSION.get(version, _MOST_RIGHTS)) - 1
    attributes = struct.pack("=QQQ", handled, _NO_TCP if version >= 4 else 0, _NO_SIGNALS_OUT if version >= 6 else 0)
    attributes = attributes[: 8 if version < 4 else 16 if version < 6 else 24]
    rules = library.syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0)
    if rules < 0:
        return
    for folder in _readable():
        place = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", _READ_FILE_AND_DIR, place)
        library.syscall(_LANDLOCK_ADD, rules, _PATH_BENEATH, rule, 0)
        os.close(place)
    library.syscall(_LANDLOCK_RESTRICT, rules, 0)
    os.close(rules)


def _readable() -> tuple[str, ...]:
    """Return the folders of the standard library, of installed packages, and of this package: no keys lie there."""
    paths = sysconfig.get_paths()
    found = {paths["stdlib"], paths["platstdlib"], paths["purelib"], paths["platlib"], *site.getsitepackages()}
    found |= {str(Path(__file__).parent.parent), "/usr/share/zoneinfo"}
    return tuple(folder for folder in sorted(found) if Path(folder).is_dir())
