"""A llama.cpp that would crash on processors with AMX is told, not met."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from rag.errors import ModelError
from rag.llm.amx import check_build, compilers_of, gets_amx_wrong

SAPPHIRE_RAPIDS = "flags\t\t: fpu sse2 avx512f avx512_vnni amx_bf16 amx_tile amx_int8\n"
ZEN = "flags\t\t: fpu sse2 avx2 vaes\n"
BY_GCC_12 = b"\x7fELF...GCC: (Debian 12.2.0-14+deb12u1) 12.2.0\0..."
MENDED = b"rag: AMX tile configuration read whole\0"
BY_GCC_14 = b"\x7fELF...GCC: (Debian 14.2.0-19) 14.2.0\0..."


@dataclass
class LlamaCpp:
    """What is asked of the module."""

    __file__: str
    info: bytes
    __version__: str = "0.3.36"

    def llama_print_system_info(self) -> bytes:
        return self.info


def module(folder: Path, library: bytes, *, amx: bool) -> LlamaCpp:
    (folder / "lib").mkdir()
    (folder / "lib" / "libggml-cpu.so").write_bytes(library)
    info = b"CPU : AVX512 = 1 | AMX_INT8 = 1 | " if amx else b"CPU : AVX512 = 1 | "
    return LlamaCpp(str(folder / "__init__.py"), info)


def check(folder: Path, flags: str, library: bytes, *, amx: bool) -> None:
    processor = folder / "cpuinfo"
    processor.write_text(flags)
    check_build(module(folder, library, amx=amx), processor=processor)


def test_a_build_that_would_crash_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"built by GCC 12\.2, whose code for AMX") as caught:
        check(tmp_path, SAPPHIRE_RAPIDS, BY_GCC_12, amx=True)
    mend = str(caught.value.mend)
    assert 'CFLAGS="-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"' in mend
    assert "llama-cpp-python==0.3.36" in mend


@pytest.mark.parametrize(
    ("flags", "library", "amx"),
    [
        (ZEN, BY_GCC_12, True),  # built elsewhere
        (SAPPHIRE_RAPIDS, BY_GCC_12, False),  # built without AMX
        (SAPPHIRE_RAPIDS, BY_GCC_12 + MENDED, True),  # as `make` builds it
        (SAPPHIRE_RAPIDS, BY_GCC_14, True),
        (SAPPHIRE_RAPIDS, BY_GCC_12 + BY_GCC_14, True),  # the start-up code is the older one's
        (SAPPHIRE_RAPIDS, BY_GCC_12 + b"clang version 17.0.6\0", True),
        (SAPPHIRE_RAPIDS, b"\x7fELF, stripped of every comment", True),
    ],
)
def test_other_builds_run(tmp_path: Path, flags: str, library: bytes, amx: bool) -> None:
    check(tmp_path, flags, library, amx=amx)


def test_without_proc(tmp_path: Path) -> None:
    check_build(module(tmp_path, BY_GCC_12, amx=True), processor=tmp_path / "none")


@pytest.mark.parametrize(
    ("version", "wrong"),
    [
        *(((11, 4), True), ((12, 0), True), ((12, 3), True), ((13, 2), True)),
        *(((10, 2), False), ((11, 5), False), ((12, 4), False), ((13, 3), False)),
        ((14, 1), False),
    ],
)
def test_versions_with_the_bug(version: tuple[int, int], wrong: bool) -> None:
    assert gets_amx_wrong([version]) is wrong


@pytest.mark.skipif(not shutil.which("gcc"), reason="no GCC")
def test_the_compiler_is_read_from_a_real_library(tmp_path: Path) -> None:
    library = tmp_path / "libggml-cpu.so"
    command = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(library)]
    subprocess.run(command, input=b"int one(void) { return 1; }", check=True)
    told = subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True, check=True)
    major, minor = re.findall(r"\d+", told.stdout)[:2]
    assert (int(major), int(minor)) in compilers_of(library.read_bytes())


@pytest.mark.skipif(not shutil.which("gcc"), reason="no GCC")
def test_the_flags_of_the_message_leave_amx_out(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        check(tmp_path, SAPPHIRE_RAPIDS, BY_GCC_12, amx=True)
    (flags, _) = re.findall(r'FLAGS="([^"]*)"', str(caught.value.mend))
    command = ["gcc", "-march=sapphirerapids", *flags.split(), "-dM", "-E", "-x", "c", "-"]
    asked = subprocess.run(command, input="", capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        pytest.skip("this GCC has no such processor")
    assert "__AVX512VNNI__" in asked.stdout
    assert "__AMX" not in asked.stdout


HEADER = Path(__file__).parent.parent / "tools" / "amx.h"
# As ggml fills and loads a configuration; then it is read back from the processor.
TILES = r"""
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct {
    uint8_t palette, start, reserved[14];
    uint16_t width[16];
    uint8_t rows[16];
} Tiles;

__attribute__((noinline)) static void configure(void) {
    _Alignas(64) Tiles tiles = {0};
    tiles.palette = 1;
    tiles.rows[0] = 9, tiles.rows[1] = 10, tiles.rows[2] = 11;
    tiles.width[0] = 4, tiles.width[1] = 8, tiles.width[2] = 12;
    _tile_loadconfig(&tiles);
}

int main(void) {
    if (syscall(SYS_arch_prctl, 0x1023, 18)) return 77;
    Tiles read;
    configure();
    _tile_storeconfig(&read);
    for (int n = 0; n < 3; n++) printf("%d,%d ", read.rows[n], read.width[n]);
    return 0;
}
"""


@pytest.mark.skipif(not shutil.which("gcc"), reason="no GCC")
def test_a_whole_configuration_reaches_the_processor(tmp_path: Path) -> None:
    if "amx_tile" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("this processor has no AMX")
    program = tmp_path / "tiles"
    options = f"-O3 -march=native -include {shlex.quote(str(HEADER))} -x c - -o {program}"
    subprocess.run(["gcc", *shlex.split(options)], input=TILES, text=True, check=True)
    assert compilers_of(program.read_bytes()) == []  # the note is in it
    run = subprocess.run([program], capture_output=True, text=True, check=False)
    if run.returncode == 77:
        pytest.skip("the kernel does not give AMX")
    assert run.returncode == 0
    assert run.stdout.split() == ["9,4", "10,8", "11,12"]


def test_the_build_of_make_has_the_note() -> None:
    llama_cpp = pytest.importorskip("llama_cpp")
    if b"AMX_INT8 = 1" not in llama_cpp.llama_print_system_info():
        pytest.skip("llama.cpp is built without AMX")
    check_build(llama_cpp)
