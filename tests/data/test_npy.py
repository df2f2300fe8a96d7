"""Rows of .npy files of every layout, from more files than may be open, and of rewritten files."""

import os
import threading

import numpy as np
import pytest

from deeptf.data import npy
from deeptf.data.npy import open_npy


def opened(path):
    status = os.stat(path)
    return open_npy(str(path), status.st_mtime_ns, status.st_size)


@pytest.mark.parametrize("kind", ["<f8", ">f8", "<f4", "<i4", "u1", "?"])
@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 2, 3), (5, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows(tmp_path, kind, shape, order):
    array = np.arange(np.prod(shape)).reshape(shape).astype(kind)
    np.save(tmp_path / "a.npy", np.asarray(array, order=order))
    file = opened(tmp_path / "a.npy")
    assert (file.shape, file.ndim, file.size, len(file)) == (shape, array.ndim, array.size, 5)
    assert file.dtype == array.dtype
    for row in range(5):
        np.testing.assert_array_equal(file[row], array[row])
    np.testing.assert_array_equal(file[1:4], array[1:4])


def test_rows_are_the_callers_own(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((4, 3)))
    opened(tmp_path / "a.npy")[2][:] = 7
    np.testing.assert_array_equal(opened(tmp_path / "a.npy")[2], np.ones(3))


def test_a_rewritten_file_is_opened_anew(tmp_path):
    path = tmp_path / "a.npy"
    for value in (1.0, 2.0):
        np.save(tmp_path / "new.npy", np.full((4, 3), value))
        os.replace(tmp_path / "new.npy", path)
        os.utime(path, ns=(0, int(value)))
        assert opened(path)[0][0] == value


def test_a_file_that_becomes_shorter(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.ones((4, 3)))
    file = opened(path)
    os.truncate(path, 150)
    with pytest.raises(OSError, match=r"a.npy must not change while it is used"):
        file[0:4]


def test_few_files_stay_open_and_threads_share_them(tmp_path):
    for k in range(npy.MAX_OPEN + 50):
        np.save(tmp_path / f"{k}.npy", np.full((4, 3), k))
    before = len(os.listdir("/proc/self/fd"))
    wrong = []

    def read():
        for k in range(npy.MAX_OPEN + 50):
            if not np.all(opened(tmp_path / f"{k}.npy")[k % 4] == k):
                wrong.append(k)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(os.listdir("/proc/self/fd")) <= before + npy.MAX_OPEN
