import hashlib
import json
import os
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hack.images import archive, python, store
from hack.images.archive import ContainerConfig, write_archive
from hack.images.dockerfile import read_dockerfile
from hack.images.errors import ImageNotMade, UnknownImage
from hack.images.layer import write_layer
from hack.images.recipes import RECIPES, ROOT, Layer, Recipe

REFERENCE = "docker.io/local/tested:1"


def tree(folder: Path, content: str = "one") -> Path:
    (folder / "usr" / "bin").mkdir(parents=True)
    (folder / "usr" / "bin" / "tool").write_text(content, encoding="utf-8")
    (folder / "usr" / "bin" / "tool").chmod(0o700)
    (folder / "bin").symlink_to("usr/bin")
    (folder / "tmp").mkdir()
    (folder / "tmp").chmod(0o1777)
    return folder


def layer(folder: Path, name: str = "tree", content: str = "one") -> Path:
    made = folder / f"{name}.tar"
    write_layer(tree(folder / name, content), made)
    return made


def documents(file: Path) -> dict[str, Any]:
    """Manifest and configuration of an archive's one image, each found as a reader of OCI layouts finds it."""
    with tarfile.open(file) as opened:

        def read(name: str) -> Any:
            content = opened.extractfile(name)
            assert content is not None
            return json.loads(content.read())

        (entry,) = read("index.json")["manifests"]
        manifest = read(f"blobs/sha256/{entry['digest'].removeprefix('sha256:')}")
        config = read(f"blobs/sha256/{manifest['config']['digest'].removeprefix('sha256:')}")
        return {"layout": read("oci-layout"), "entry": entry, "manifest": manifest, "config": config}


def recipe(text: str, make: Callable[[Path, Path], None] | None = None) -> Recipe:
    def write(folder: Path, _: Path) -> None:
        (folder / "text").write_text(text, encoding="utf-8")

    return Recipe([Layer("tested", [text], make or write)], ContainerConfig(command=["tool"]))


def test_a_layer_is_the_same_for_the_same_files_whatever_their_times_and_owners_rights(tmp_path: Path) -> None:
    first, second = layer(tmp_path, "first"), tree(tmp_path / "second")
    os.utime(second / "usr" / "bin" / "tool", (1, 1))
    (second / "usr" / "bin" / "tool").chmod(0o755)
    write_layer(second, tmp_path / "second.tar")
    assert first.read_bytes() == (tmp_path / "second.tar").read_bytes()


def test_a_layer_keeps_links_what_can_be_executed_and_where_all_may_write(tmp_path: Path) -> None:
    with tarfile.open(layer(tmp_path)) as opened:
        members = {member.name: member for member in opened.getmembers()}
    assert list(members) == ["bin", "tmp", "usr", "usr/bin", "usr/bin/tool"]
    assert (members["bin"].type, members["bin"].linkname) == (tarfile.SYMTYPE, "usr/bin")
    assert (members["usr/bin/tool"].mode, members["tmp"].mode) == (0o755, 0o1777)
    assert {(member.uid, member.gid, member.mtime) for member in members.values()} == {(0, 0, 0)}


def test_every_blob_of_an_archive_has_the_digest_and_size_that_is_said_of_it(tmp_path: Path) -> None:
    write_archive(tmp_path / "image.tar", REFERENCE, "amd64", [layer(tmp_path)], ContainerConfig())
    read = documents(tmp_path / "image.tar")
    said = {each["digest"]: each["size"] for each in (read["entry"], read["manifest"]["config"])}
    said |= {each["digest"]: each["size"] for each in read["manifest"]["layers"]}
    with tarfile.open(tmp_path / "image.tar") as opened:
        for digest, size in said.items():
            member = opened.extractfile(f"blobs/sha256/{digest.removeprefix('sha256:')}")
            assert member is not None
            content = member.read()
            assert (f"sha256:{hashlib.sha256(content).hexdigest()}", len(content)) == (digest, size)
    assert read["config"]["rootfs"]["diff_ids"] == [each["digest"] for each in read["manifest"]["layers"]]


def test_an_archive_names_its_image_in_full_and_by_tag(tmp_path: Path) -> None:
    write_archive(tmp_path / "image.tar", REFERENCE, "amd64", [layer(tmp_path)], ContainerConfig())
    read = documents(tmp_path / "image.tar")
    assert read["layout"] == {"imageLayoutVersion": "1.0.0"}
    assert read["entry"]["annotations"]["io.containerd.image.name"] == REFERENCE
    assert read["entry"]["annotations"]["org.opencontainers.image.ref.name"] == "1"


def test_an_archive_says_how_a_container_starts(tmp_path: Path) -> None:
    config = ContainerConfig(["python", "-m"], ["aiop"], "65532:65532", "/tmp", {"A": "1", "B": "x=y"})  # noqa: S108
    write_archive(tmp_path / "image.tar", REFERENCE, "arm64", [layer(tmp_path)], config)
    read = documents(tmp_path / "image.tar")["config"]
    assert (read["architecture"], read["os"]) == ("arm64", "linux")
    assert read["config"] == {
        "Entrypoint": ["python", "-m"],
        "Cmd": ["aiop"],
        "User": "65532:65532",
        "WorkingDir": "/tmp",  # noqa: S108
        "Env": ["A=1", "B=x=y"],
    }


def test_the_same_layers_give_the_same_archive_in_their_order(tmp_path: Path) -> None:
    layers = [layer(tmp_path, "lower"), layer(tmp_path, "upper", "two")]
    for name, order in (("one", layers), ("again", layers), ("turned", layers[::-1])):
        write_archive(tmp_path / f"{name}.tar", REFERENCE, "amd64", order, ContainerConfig())
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "again.tar").read_bytes()
    digests = [each["digest"] for each in documents(tmp_path / "one.tar")["manifest"]["layers"]]
    assert digests == [f"sha256:{archive.digest_of(each)}" for each in layers]
    assert digests[::-1] == [each["digest"] for each in documents(tmp_path / "turned.tar")["manifest"]["layers"]]


def test_an_image_is_made_once_and_a_change_of_its_content_makes_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def make(folder: Path, _: Path) -> None:
        made.append("made")
        (folder / "text").write_text("text", encoding="utf-8")

    monkeypatch.setattr(store, "RECIPES", {"tested": lambda: recipe("one", make)})
    first, again = store.ensure_image("tested", tmp_path), store.ensure_image("tested", tmp_path)
    assert first == again
    assert made == ["made"]
    assert first.reference == f"docker.io/local/tested:{first.archive.stem}"
    monkeypatch.setattr(store, "RECIPES", {"tested": lambda: recipe("two", make)})
    assert store.ensure_image("tested", tmp_path).reference != first.reference
    assert made == ["made", "made"]


def test_a_layer_that_was_cut_off_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path, _: Path) -> None:
        (folder / "text").write_text("half", encoding="utf-8")
        raise ImageNotMade("no network")

    monkeypatch.setattr(store, "RECIPES", {"tested": lambda: recipe("one", fail)})
    with pytest.raises(ImageNotMade, match="no network"):
        store.ensure_image("tested", tmp_path)
    assert not list(tmp_path.rglob("*.tar"))
    monkeypatch.setattr(store, "RECIPES", {"tested": lambda: recipe("one")})
    assert store.ensure_image("tested", tmp_path).archive.exists()


def test_of_each_name_the_two_newest_stay_and_others_while_a_run_may_need_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(text: str) -> Path:
        monkeypatch.setattr(store, "RECIPES", {"tested": lambda: recipe(text)})
        return store.ensure_image("tested", tmp_path).archive

    archives = {hours: made(f"{hours} h ago") for hours in (0, 2, 3, 4, 721)}
    layers = {file: file.stat().st_size for file in (tmp_path / "layers").iterdir()}
    for hours, file in archives.items():
        when = time.time() - 3600 * hours
        os.utime(file, (when, when))
    forgotten, remembered = tmp_path / "other" / "1.tar", tmp_path / "other" / "2.tar"
    for file, days in ((forgotten, 31), (remembered, 29)):
        file.parent.mkdir(exist_ok=True)
        file.touch()
        os.utime(file, (time.time() - 86400 * days, time.time() - 86400 * days))
    made("just now")
    assert {hours for hours, file in archives.items() if file.exists()} == {0, 2}
    assert (forgotten.exists(), remembered.exists()) == (False, True)
    assert all(file.exists() for file in layers)  # each was used a moment ago


def test_what_a_killed_run_left_unfinished_is_deleted_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "layers" / "tmpkilled" / "tree").mkdir(parents=True)
    parts = [tmp_path / "tested" / "1.part", tmp_path / "layers" / "tested-1.part"]
    for part in parts:
        part.parent.mkdir(exist_ok=True)
        part.write_text("half", encoding="utf-8")
    monkeypatch.setattr(store, "RECIPES", {"tested": lambda: recipe("one")})
    store.ensure_image("tested", tmp_path)
    assert not (tmp_path / "layers" / "tmpkilled").exists()
    assert not any(part.exists() for part in parts)


def test_a_layer_is_made_again_when_what_it_is_made_upon_changes() -> None:
    upper = Layer("upper", ["same"], lambda _tree, _base: None)
    keys = [store.layer_keys([Layer("lower", [text], upper.make), upper])[1] for text in ("one", "two")]
    assert keys[0] != keys[1]


def test_the_images_with_python_share_its_layer() -> None:
    made = [RECIPES[name]() for name in ("python", "aiop", "fetcher", "mlserver", "triton")]
    assert len({store.layer_keys(each.layers)[0] for each in made}) == 1


def test_an_unknown_image_is_told_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(UnknownImage, match="busybox, fetcher, mlserver"):
        store.ensure_image("ubuntu", tmp_path)


@pytest.mark.parametrize(("name", "dockerfile"), [("aiop", "Dockerfile"), ("fetcher", "Dockerfile.fetcher")])
def test_our_own_image_is_what_its_dockerfile_says(name: str, dockerfile: str) -> None:
    text = (ROOT / dockerfile).read_text(encoding="utf-8")
    made = RECIPES[name]()
    assert f"ENTRYPOINT {json.dumps(made.config.entrypoint)}\n" in text
    assert bool(made.config.command) == (f"CMD {json.dumps(made.config.command)}\n" in text)
    assert f"USER {made.config.user}\n" in text
    assert f"WORKDIR {made.config.working_directory}\n" in text
    assert all(f"{variable}={value}" in text for variable, value in made.config.environment.items())
    assert len(made.config.environment) == text.split("ENV ")[1].splitlines()[0].count("=")
    assert [layer.name for layer in made.layers] == ["python", "manager" if name == "aiop" else "fetcher", "sources"]
    assert f"python:{python.VERSION}-slim" in text


def test_our_own_image_changes_with_the_source() -> None:
    inputs = RECIPES["aiop"]().layers[-1].inputs
    source = ROOT / "src" / "aiop" / "cli" / "main.py"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert f"/opt/aiop/lib/python3.11/site-packages/aiop/cli/main.py {digest}" in inputs
    assert not [line for line in inputs if "__pycache__" in line]


@pytest.mark.parametrize("line", ["RUN apt-get update", "ADD x /x", "HEALTHCHECK NONE"])
def test_an_instruction_that_cannot_be_carried_out_without_docker_is_refused(line: str, tmp_path: Path) -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (tmp_path / "Dockerfile").write_text(text.replace("WORKDIR /build", f"WORKDIR /build\n{line}"), encoding="utf-8")
    with pytest.raises(ImageNotMade, match=line.split(maxsplit=1)[0]):
        read_dockerfile(tmp_path / "Dockerfile")


def test_a_last_stage_without_the_environment_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    other = text.replace("COPY --from=build /opt/aiop /opt/aiop", "COPY --from=build /opt /opt")
    (tmp_path / "Dockerfile").write_text(other, encoding="utf-8")
    with pytest.raises(ImageNotMade, match="/opt/aiop"):
        read_dockerfile(tmp_path / "Dockerfile")


def test_what_is_fetched_for_a_node_is_hashed() -> None:
    for name in ("go", "mlserver", "testmodels", "traefik", "triton"):
        lines = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        pins = [number for number, line in enumerate(lines) if "==" in line.split(";")[0] and line[0] not in " #"]
        assert pins
        assert all("--hash=sha256:" in lines[number + 1] for number in pins)
