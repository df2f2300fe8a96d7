"""Which TensorFlow the build takes, and what it says of one that it cannot take."""

import os
from pathlib import Path

import pytest
from setup_file import load_setup

build = pytest.fixture(scope="module")(load_setup)


@pytest.fixture
def there(build, monkeypatch):
    """Return a function that says which TensorFlows there are, the inner environment's first."""
    monkeypatch.delenv("DEEPTF_TENSORFLOW", raising=False)
    monkeypatch.setenv("PYTHONPATH", "/isolated")

    def set_versions(inner=None, around=None, name="tensorflow-cpu"):
        def ask(variables):
            version = inner if "PYTHONPATH" in variables else around
            return ({"version": version, "name": name}, "") if version else (None, "none installed")

        build.look_for_tensorflow.cache_clear()
        monkeypatch.setattr(build, "ask_tensorflow", ask)

    yield set_versions
    build.look_for_tensorflow.cache_clear()


@pytest.mark.parametrize("version", ["2.16.2", "2.18.1", "2.21.0", "2.20.0-rc0"])
def test_supported_tensorflow(build, version):
    build.check_version(version)


@pytest.mark.parametrize("version", ["2.15.1", "2.22.0", "1.15.5", "3.0.0"])
def test_unsupported_tensorflow(build, version):
    with pytest.raises(
        SystemExit, match=f"TensorFlow must be 2.16 to 2.21, got {version}: install"
    ):
        build.check_version(version)


TOOLS = ["cmake>=3.18", "ninja"]


@pytest.mark.parametrize(
    ("named", "release"),
    [(None, "{reference}"), ("2.19.1", "2.19.1"), ("2.19", "2.19.*"), ("2.20.0rc0", "2.20.0rc0")],
)
def test_a_build_gets_a_tensorflow(build, there, monkeypatch, named, release):
    there()
    if named:
        monkeypatch.setenv("DEEPTF_TENSORFLOW", named)
    release = release.format(reference=build.REFERENCE)
    assert build.get_requires_for_build_wheel() == [*TOOLS, f"tensorflow-cpu=={release}"]
    assert build.get_requires_for_build_editable({}) == [*TOOLS, f"tensorflow-cpu=={release}"]
    assert build.get_requires_for_build_sdist() == []
    same = ".".join(release.split(".")[:2])
    assert build.extras()["cpu"] == [f"tensorflow-cpu=={same}.*"]


@pytest.mark.parametrize(
    ("inner", "around", "used"),
    [("2.18.0", None, "2.18.0"), (None, "2.19.1", "2.19.1"), ("2.19.1", "2.18.1", "2.19.1")],
)
def test_a_tensorflow_that_is_there_is_used(build, there, inner, around, used):
    """Also that of the environment around pip's isolated one."""
    there(inner, around, "tensorflow")
    assert build.get_requires_for_build_wheel() == TOOLS
    assert build.find_tensorflow()["version"] == used
    same = used[:4] + ".*"
    extras = build.extras()
    assert extras["cpu"] == [f"tensorflow=={same}"]
    assert extras["gpu"] == [f"tensorflow[and-cuda]=={same}"]
    assert f"tensorflow=={same}" in extras["test"] and "pytest" in extras["test"]


def test_the_named_tensorflow_comes_before_another_one(build, there, monkeypatch):
    monkeypatch.setenv("DEEPTF_TENSORFLOW", "2.19")
    there(None, "2.18.1", "tensorflow")
    assert build.get_requires_for_build_wheel() == [*TOOLS, "tensorflow-cpu==2.19.*"]
    assert build.extras()["cpu"] == ["tensorflow-cpu==2.19.*"]
    there("2.19.1", "2.18.1")
    assert build.find_tensorflow()["version"] == "2.19.1"
    there("2.18.1")
    with pytest.raises(
        SystemExit,
        match=r"\(it has TensorFlow 2.18.1, and DEEPTF_TENSORFLOW is 2.19\): build with .*"
        "`pip install tensorflow-cpu==2.19`",
    ):
        build.find_tensorflow()


@pytest.mark.parametrize(
    ("version", "wanted", "same"),
    [
        ("2.19.1", "2.19", True),
        ("2.19.1", "2.19.1", True),
        ("2.20.0-rc0", "2.20.0rc0", True),
        ("2.19.1", "2.19.0", False),
        ("2.19.1", "2.1", False),
    ],
)
def test_patches_of_a_release(build, version, wanted, same):
    assert build.is_of(version, wanted) is same


@pytest.mark.parametrize("named", ["2", "new", "2.19.*", ">=2.18"])
def test_a_setting_that_is_no_release(build, there, monkeypatch, named):
    monkeypatch.setenv("DEEPTF_TENSORFLOW", named)
    there("2.18.1")
    with pytest.raises(
        SystemExit, match=r"DEEPTF_TENSORFLOW must be a release such as 2.19 or 2.19.1, got '"
    ):
        build.get_requires_for_build_wheel()


def test_an_unsupported_tensorflow_that_is_there(build, there):
    there(None, "2.15.1")
    with pytest.raises(SystemExit, match="must be 2.16 to 2.21, got 2.15.1"):
        build.get_requires_for_build_wheel()


def test_no_tensorflow(build, monkeypatch, tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('no tensorflow here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(
        build, "ask_tensorflow", lambda _, ask=build.ask_tensorflow: ask(os.environ)
    )
    build.look_for_tensorflow.cache_clear()
    with pytest.raises(
        SystemExit, match=r"must be importable by .*no tensorflow here\): build with `pip install '"
    ):
        build.find_tensorflow()
    build.look_for_tensorflow.cache_clear()


def test_this_tensorflow_is_found(build):
    found = build.find_tensorflow()
    assert Path(found["include"], "tensorflow").is_dir() and found["link"]
