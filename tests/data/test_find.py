"""Which systems the input means: folders searched, links, patterns, HDF5 files, names of types."""

import os
import shutil

import numpy as np
import pytest
from small_systems import NAMES, arrays, open_all, write_folder, write_hdf5

from deeptf.data.errors import DataError
from deeptf.data.find import find_systems, find_type_map
from deeptf.data.system import System


@pytest.fixture
def tree(tmp_path):
    for name in ("b", "a/deep", "c"):
        write_folder(tmp_path / name, [arrays(1)])
    return tmp_path


def names(found, root):
    return [os.path.relpath(path, root) for path in found]


def test_each_entry_is_searched_in_the_order_given(tree):
    assert names(find_systems(str(tree)), tree) == ["a/deep", "b", "c"]
    assert names(find_systems(str(tree / "b")), tree) == ["b"]
    assert names(find_systems([str(tree / "c"), str(tree / "a")]), tree) == ["c", "a/deep"]
    assert names(find_systems([str(tree)]), tree) == ["a/deep", "b", "c"]
    twice = [str(tree / "b")] * 2
    assert find_systems(twice) == twice


def test_a_system_within_a_system(tree):
    write_folder(tree / "b/more", [arrays(1)])
    assert names(find_systems(str(tree / "b")), tree) == ["b", "b/more"]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["d*", "b"], ["a/deep", "b"]),
        (["a/*"], ["a/deep"]),
        (["a/**/deep"], ["a/deep"]),
        (["*"], ["a/deep", "b", "c"]),
    ],
)
def test_patterns(tree, patterns, expected):
    assert names(find_systems(str(tree), patterns), tree) == expected
    split = [str(tree / "a"), str(tree)]
    found = names(find_systems(split, ["deep"]), tree)
    assert found == ["a/deep", "a/deep"]


def test_pattern_that_matches_nothing(tree):
    with pytest.raises(DataError, match=r"that matches rglob_patterns \['x'\]\), got none in"):
        find_systems(str(tree), ["x"])


def test_links_are_followed_and_each_folder_is_searched_once(tree):
    outside = tree.parent / "outside"
    shutil.rmtree(outside, ignore_errors=True)
    for name in ("one", "two"):
        write_folder(outside / name, [arrays(1)])
    for name, target in (
        ("link", outside / "one"),
        ("parent", outside),  # holds `one` too
        ("a/loop", tree),
        ("b/self", tree / "b"),
        ("set.again", tree / "b"),  # a link to a system counts beside it
    ):
        (tree / name).symlink_to(target)
    expected = ["a/deep", "b", "c", "link", "parent/two", "set.again"]
    assert names(find_systems(str(tree)), tree) == expected
    assert names(find_systems(str(tree), ["two"]), tree) == ["parent/two"]


def test_a_lost_system_is_not_passed_over(tree):
    (tree / ".#editor").symlink_to("user@host.123")
    find_systems(str(tree))
    (tree / "a/lost").symlink_to("../moved")
    with pytest.raises(DataError, match=r"without broken links, got '.*a/lost', a link to '../mov"):
        find_systems(str(tree))


def test_a_system_with_a_lost_file_is_not_passed_over(tree):
    (tree / "b/type.raw").unlink()
    (tree / "b/type.raw").symlink_to("nowhere")
    with pytest.raises(DataError, match=r"b/type.raw must be a file, got a link to nothing"):
        open_all(str(tree))


def test_folders_whose_names_look_like_hdf5(tmp_path):
    for name in ("run#2", "water.h5", "x#y/z.hdf5"):
        path = str(write_folder(tmp_path / name, [arrays(2)]))
        assert find_systems([path]) == [path]
        assert System(path, NAMES).num_frames == 2


def test_hdf5_files_are_searched_for_groups(tmp_path):
    (tmp_path / "run#2").mkdir()
    file = tmp_path / "run#2/data.hdf5"
    groups = [write_hdf5(file, name, [arrays(1)]) for name in ("x", "y/z")]
    assert find_systems(str(file)) == groups
    assert find_systems([str(file)]) == groups
    assert find_systems(groups[1]) == [groups[1]]
    assert [system.num_frames for system in open_all(groups)] == [1, 1]


def test_nothing_to_find(tmp_path):
    with pytest.raises(DataError, match=r"`systems` must name at least one system"):
        find_systems([])
    write_folder(tmp_path / "good", [arrays(1)])
    (tmp_path / "empty").mkdir()
    for systems in (str(tmp_path / "empty"), [str(tmp_path / "good"), str(tmp_path / "empty")]):
        with pytest.raises(DataError, match=r"at least one system .*got none in .*empty'"):
            find_systems(systems)
    with pytest.raises(DataError, match=r"nowhere': no such folder or file"):
        find_systems(str(tmp_path / "nowhere"))
    (tmp_path / "text").write_text("words")
    with pytest.raises(DataError, match=r"text must be a readable HDF5 file"):
        find_systems([str(tmp_path / "text")])


def test_names_of_types(tmp_path):
    bare = System(write_folder(tmp_path / "bare", [arrays(1)], names=None))
    named = System(write_folder(tmp_path / "named", [arrays(1)]))
    assert find_type_map([bare.path, named.path]) == (("O", "H"), f"from {named.path}")
    assert find_type_map([bare.path])[0] == ("Type_0", "Type_1")
    assert find_type_map([bare.path], least=3)[0] == ("Type_0", "Type_1", "Type_2")
    types = np.array([[0, 1, 1], [0, 3, -1]])
    path = write_folder(tmp_path / "m", [arrays(2) | {"real_atom_types": types}], names=None)
    mixed = System(path)
    assert find_type_map([bare.path, mixed.path])[0] == tuple(f"Type_{k}" for k in range(4))
    again = System(path, find_type_map([mixed.path])[0])
    np.testing.assert_array_equal(again.frame(1).atom_type, [0, 3])
