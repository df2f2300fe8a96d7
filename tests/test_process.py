"""What the command line does to its process: closed standard files, a quiet TensorFlow."""

import os
import subprocess
import sys

from deeptf import process


def python(code, files="", **variables):
    return subprocess.run(
        ["bash", "-c", f'exec "{sys.executable}" -c "$CODE" {files}'],
        env={**os.environ, "CODE": code, **variables},
        capture_output=True,
        text=True,
    )


def test_closed_standard_files_are_opened(tmp_path):
    code = """if True:
        import os, sys
        from deeptf.process import on_terminal, open_standard_files
        assert not on_terminal()
        open_standard_files()
        file = os.open(sys.argv[0] or "file", os.O_CREAT | os.O_WRONLY)
        print("text", file=sys.stderr, flush=True)
        os.write(2, b"text of a library")
        os.write(file, f"{file} {sys.stdin.read()!r} {on_terminal()}".encode())
    """
    code = code.replace('sys.argv[0] or "file"', repr(str(tmp_path / "file")))
    found = python(code, "<&- 2>&-")
    assert found.returncode == 0 and found.stdout == ""
    assert (tmp_path / "file").read_text() == "3 '' False"


def test_open_standard_files_are_kept():
    process.open_standard_files()
    found = python(
        "from deeptf.process import open_standard_files as f; f(); print(open(0).read())",
        "<<< here",
    )
    assert found.stdout.strip() == "here" and found.stderr == ""


def test_no_terminal(monkeypatch):
    for stream in (None, open(os.devnull)):
        monkeypatch.setattr(sys, "stderr", stream)
        assert not process.on_terminal()
        if stream:
            stream.close()
            assert not process.on_terminal()


def test_the_start_prints_nothing():
    found = python("from deeptf.process import start_tensorflow as f; f()")
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_levels_of_the_log():
    code = "from deeptf.process import start_tensorflow as f; f()"
    assert python(code, TF_CPP_MIN_LOG_LEVEL="").returncode == 0
    found = python(code, TF_CPP_MIN_LOG_LEVEL="quiet")
    assert (
        "variable TF_CPP_MIN_LOG_LEVEL must be one of 0, 1, 2, 3, got 'quiet'; unset it, or give"
    ) in found.stderr


def test_products_keep_their_bits_in_the_process_of_a_command_alone():
    code = """if True:
        from deeptf.process import start_tensorflow
        from deeptf.tf import session, tf
        session().close()
        print(tf.config.experimental.tensor_float_32_execution_enabled())
        start_tensorflow()
        print(tf.config.experimental.tensor_float_32_execution_enabled())
    """
    found = python(code, TF_CPP_MIN_LOG_LEVEL="3")
    assert found.stdout.split() == ["True", "False"], found.stderr


def test_what_a_failing_import_prints_is_shown(tmp_path):
    (tmp_path / "tensorflow.py").write_text(
        "import os\nos.write(2, b'a useful hint')\nraise ImportError('broken')"
    )
    found = python(
        "from deeptf.process import start_tensorflow as f; f()",
        PYTHONPATH=f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}",
    )
    assert found.returncode and "a useful hint" in found.stderr and "broken" in found.stderr
