"""Files with the build lines of op libraries, for tests of what is said of them."""

import deeptf


def write_line(path, line):
    path.write_bytes(b"\x7fELF\0" + line.encode() + b"\0")
    return path


def bindings_file(path, version=deeptf.__version__, tensorflow="2.18.1"):
    return write_line(path, f"deeptf-bindings|{version}|{tensorflow}|")


def cuda_file(path, version=deeptf.__version__, tensorflow="2.18.1"):
    return write_line(path, f"deeptf-cuda|{version}|{tensorflow}|sm_80 sm_90|")


def core_file(folder, level, features, version=deeptf.__version__):
    has = " ".join(f"{name}=1" for name in features.split())
    line = f"deeptf-core|{version}|{level}| {has} amx=__AMX__|"
    return write_line(folder / f"libdeeptf_core.{level}.so", line)
